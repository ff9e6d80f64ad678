// Package rule says what a finding is, and the kind of finding that a rule is.
//
// It promises that these are the forms in which findings are printed: their JSON names and
// severities are a contract that docs/cli.md describes. It leaves to others the rules themselves,
// which stand in the package that finds them, and their list ([lint.Rules]).
//
// Words to know: an error is a document that AWS refuses, that does not do what it says, or that
// lets in the world; a warning one that AWS takes and that does more or less than its author is
// likely to believe; a note leaves a document in order.
//
// [lint.Rules]: https://pkg.go.dev/syncd/internal/access/lint#Rules
package rule

import "slices"

// Rule is one kind of [Finding].
type Rule struct {
	ID          string   // "SYNCD-P101"; it never changes its meaning
	Name        string   // "unknown-action"
	Severity    Severity // of its findings
	Title       string
	Explanation string // why it matters, and what AWS says about it
}

// Of is the rule of an id, which must be among the rules.
func Of(rules []Rule, id string) Rule {
	return rules[slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })]
}

// Finding is a finding of the rule, about no place in a file.
func (r Rule) Finding(message, fix string) Finding {
	return Finding{ID: r.ID, Name: r.Name, Severity: r.Severity, Message: message, Fix: fix}
}

// Severity is how bad a [Finding] is.
type Severity string

// The severities. Only a note leaves a document in order.
const (
	SeverityError   Severity = "error"   // AWS refuses the document, or it does not do what it says, or it lets in the world
	SeverityWarning Severity = "warning" // AWS takes it, and it does more or less than its author is likely to believe
	SeverityNote    Severity = "note"    // what could not be judged, or has no effect
)

// Finding is one fault of one document, or one permission that a mapping lacks.
type Finding struct {
	ID       string   `json:"id"`   // "SYNCD-P101"
	Name     string   `json:"name"` // "unknown-action"
	Severity Severity `json:"severity"`
	File     string   `json:"file"` // as [File] names it; "" for what is in none of them
	Line     int      `json:"line"` // from 1, as is the column, which counts characters; 0 when it is about no place in a file
	Column   int      `json:"column"`
	Path     string   `json:"path"`    // "Statement[0].Action[1]"; "" for the document
	Message  string   `json:"message"` // what is wrong
	Fix      string   `json:"fix"`     // what to do
}
