package access

import (
	"cmp"
	"slices"

	"syncd/config"
)

// File is a text to be judged: a policy, or what the AWS CLI prints around one.
type File struct {
	Name   string // what findings call it
	Data   []byte
	Kind   Kind   // "" to find out from the text
	Target string // the ARN of the role, bucket, access point, key or queue that it belongs to; "" to find out, which a bare policy may not tell
}

// CheckOptions says what the documents are held against besides AWS's own rules. The zero value is for none.
type CheckOptions struct {
	// Config is the configuration whose mappings have to work with the documents; nil for none.
	Config *config.Config
	// Mappings are the names of those that have to; empty for all.
	Mappings []string
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

// Judged is a document that was found in a file.
type Judged struct {
	File   string `json:"file"`
	Kind   Kind   `json:"kind"`
	Target string `json:"target,omitempty"` // what it belongs to, where the text or the caller said so
}

// Report is what came of judging.
type Report struct {
	Documents []Judged  `json:"documents"`
	Findings  []Finding `json:"findings"` // in the order of the files, and in each of the lines
}

// Wrong reports whether anything has to be changed: an error or a warning was found.
func (r Report) Wrong() bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Severity != SeverityNote })
}

// Check judges documents as they are written, asking AWS nothing: what AWS would refuse, what would not do what it says, what
// would let in more than it should, and with a configuration what its mappings lack. One input always gives the same report.
// The error, if any, is about the options; whatever is wrong with a file is a finding.
func Check(files []File, o CheckOptions) (Report, error) {
	mappings, err := o.mappings()
	if err != nil {
		return Report{}, err
	}
	c := newChecker(o.Config)
	var all []*document
	order := map[string]int{}
	for i := range files {
		order[files[i].Name] = i + 1
		for _, d := range documents(&files[i]) {
			c.judge(d)
			all = append(all, d)
		}
	}
	c.judgeMappings(o.Config, mappings, all)
	r := Report{Documents: []Judged{}, Findings: c.findings}
	for _, d := range all {
		r.Documents = append(r.Documents, Judged{File: d.file.Name, Kind: d.kind, Target: d.target})
	}
	sortFindings(r.Findings, order)
	return r, nil
}

// checker collects what is found.
type checker struct {
	catalogue  catalogue
	services   []string       // the prefixes of all services
	controlled []string       // of those that resource control policies apply to
	config     *config.Config // nil for none
	rules      map[string]Rule
	d          *document // the one being judged
	findings   []Finding
}

func newChecker(conf *config.Config) *checker {
	c := &checker{
		catalogue: readCatalogue(), services: services("all"), controlled: services("resource control"),
		config: conf, rules: map[string]Rule{}, findings: []Finding{},
	}
	for _, r := range Rules() {
		c.rules[r.ID] = r
	}
	return c
}

// report adds a finding about a value of the document being judged.
func (c *checker) report(id string, n *node, message, fix string) {
	c.reportAt(id, n.at, message, fix)
	c.findings[len(c.findings)-1].Path = n.path
}

// reportAt adds a finding about a byte of the document being judged.
func (c *checker) reportAt(id string, at int, message, fix string) {
	f := c.finding(id, message, fix)
	f.File = c.d.file.Name
	f.Line, f.Column = c.d.position(at)
	c.findings = append(c.findings, f)
}

func (c *checker) finding(id, message, fix string) Finding {
	r := c.rules[id]
	return Finding{ID: id, Name: r.Name, Severity: r.Severity, Message: message, Fix: fix}
}

// judge judges one document by itself.
func (c *checker) judge(d *document) {
	c.d = d
	before := len(c.findings)
	for _, b := range d.faults {
		f := c.finding(brokenJSON, b.message, b.fix)
		f.File = d.file.Name
		f.Line, f.Column = d.file.position(b.at)
		c.findings = append(c.findings, f)
	}
	if d.root == nil {
		return
	}
	if d.root.kind == objectNode && d.root.find("Rules") != nil && d.root.find("Statement") == nil {
		d.kind = KindLifecycle
		return
	}
	if d.root.find("Statement") == nil {
		c.checkStranger()
		return
	}
	d.policy = c.readPolicy(d.root)
	if d.kind == "" {
		d.kind = guessKind(d)
	}
	if !d.broken {
		c.checkSize()
	}
	c.checkVersion()
	for _, s := range d.policy.statements {
		c.checkStatement(s)
	}
	c.checkWhole()
	c.checkRefused(before)
}

// checkStranger says what may be the matter with a document that has no statement.
func (c *checker) checkStranger() {
	root := c.d.root
	fix := "give a policy, or what the AWS CLI prints around one"
	switch {
	case root.find("Version") != nil || root.find("Id") != nil || root.find("Statements") != nil:
		c.members(root, []string{"Version", "Id", "Statement"})
		c.report(missingElement, root, "the policy has no Statement", `add "Statement": [...]`)
		return
	case root.find("Effect") != nil:
		fix = `put the statement into a policy: {"Version": "2012-10-17", "Statement": [...]}`
	}
	c.report(unknownKind, root, "the document has no Statement", fix)
}

// sortFindings orders findings by file, in the order given, and by place.
func sortFindings(list []Finding, order map[string]int) {
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.ID, b.ID), cmp.Compare(a.Message, b.Message),
		)
	})
}
