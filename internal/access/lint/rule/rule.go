// Package rule defines findings, and rules as kinds of findings.
//
// The JSON names and severities of its types are a contract, described in docs/cli.md. The rules
// themselves are defined in the packages that check them. [lint.Rules] lists all of them.
//
// The severities: an error means that AWS rejects the document, that the document does not do what
// it says, or that it grants access to everyone in the world. A warning means that AWS accepts the
// document, but that it probably allows or denies something other than its author intended. A note
// needs no change.
//
// [lint.Rules]: https://pkg.go.dev/syncd/internal/access/lint#Rules
package rule

import "slices"

// Rule is one kind of [Finding].
type Rule struct {
	ID          string   // "SYNCD-P101"; its meaning never changes
	Name        string   // "unknown-action"
	Severity    Severity // severity of its findings
	Title       string
	Explanation string // why the fault matters, and what AWS says about the fault
}

// Of returns the rule with the given ID. The ID must be that of one of the rules.
func Of(rules []Rule, id string) Rule {
	return rules[slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id })]
}

// Finding returns a finding of the rule without a location in a file.
func (r Rule) Finding(message, fix string) Finding {
	return Finding{ID: r.ID, Name: r.Name, Severity: r.Severity, Message: message, Fix: fix}
}

// Severity is the severity of a [Finding].
type Severity string

// The severities. A note needs no change to the document.
const (
	SeverityError   Severity = "error"   // AWS rejects the document, or it does not do what it says, or it grants access to everyone in the world
	SeverityWarning Severity = "warning" // AWS accepts the document, but it probably allows or denies something other than its author intended
	SeverityNote    Severity = "note"    // something could not be checked, or has no effect
)

// Finding is one fault of one document, or one permission that a mapping lacks.
type Finding struct {
	ID       string   `json:"id"`   // "SYNCD-P101"
	Name     string   `json:"name"` // "unknown-action"
	Severity Severity `json:"severity"`
	File     string   `json:"file"` // name of the file; "" if the finding is not about a file
	Line     int      `json:"line"` // Line and Column start at 1, and Column counts characters; both are 0 if the finding has no location in a file
	Column   int      `json:"column"`
	Path     string   `json:"path"`    // "Statement[0].Action[1]"; "" for the document
	Message  string   `json:"message"` // what is wrong
	Fix      string   `json:"fix"`     // what to do
}
