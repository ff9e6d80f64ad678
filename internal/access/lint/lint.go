// Package lint judges policies as they are written, asking AWS nothing: `syncd policy check`.
//
// It promises that one input always gives the same report, that every finding has a place, an id
// that never changes its meaning and something to do, and that nothing passes which AWS would
// refuse as far as package iam knows. [Check] reads the documents (lint/document), applies the
// rules to each by itself (lint/element, lint/condition, lint/danger), and with a configuration
// decides whether all of them together allow what its mappings need (lint/coverage). [Rules] lists
// every kind of finding.
//
// It leaves to others the evaluation of policies (package iam), what mappings need (package
// access), and asking AWS (access/doctor).
//
// Words to know: a finding is a fault of one document, or a permission that a mapping lacks; a rule
// is a kind of finding.
package lint

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/access/lint/catalogue"
	"syncd/internal/access/lint/condition"
	"syncd/internal/access/lint/coverage"
	"syncd/internal/access/lint/danger"
	"syncd/internal/access/lint/document"
	"syncd/internal/access/lint/element"
	"syncd/internal/access/lint/rule"
)

// Options says what the documents are held against besides AWS's own rules. The zero value is for
// none.
type Options struct {
	// Config is the configuration whose mappings have to work with the documents; nil for none.
	Config *config.Config
	// Mappings are the names of those that have to; empty for all.
	Mappings []string
}

// Judged is a document that was found in a file.
type Judged struct {
	File   string      `json:"file"`
	Kind   access.Kind `json:"kind"`
	Target string      `json:"target,omitempty"` // what it belongs to, where the text or the caller said so
}

// Report is what came of judging.
type Report struct {
	Documents []Judged       `json:"documents"`
	Findings  []rule.Finding `json:"findings"` // in the order of the files, and in each of the lines
}

// Wrong reports whether anything has to be changed: an error or a warning was found.
func (r Report) Wrong() bool {
	return slices.ContainsFunc(r.Findings, func(f rule.Finding) bool { return f.Severity != rule.SeverityNote })
}

// Check judges documents as they are written, asking AWS nothing: what AWS would refuse, what would
// not do what it says, what would let in more than it should, and with a configuration what its
// mappings lack. One input always gives the same report. The error, if any, is about the options;
// whatever is wrong with a file is a finding.
func Check(files []document.File, o Options) (Report, error) {
	mappings, err := o.mappings()
	if err != nil {
		return Report{}, err
	}
	c := &checker{catalogue: catalogue.Read(), config: o.Config, findings: []rule.Finding{}}
	var all []*document.Document
	order := map[string]int{}
	for i := range files {
		order[files[i].Name] = i + 1
		for _, d := range document.Read(&files[i]) {
			c.judge(d)
			all = append(all, d)
		}
	}
	if o.Config != nil {
		c.findings = append(c.findings, coverage.Check(o.Config, mappings, all)...)
	}
	r := Report{Documents: []Judged{}, Findings: c.findings}
	for _, d := range all {
		r.Documents = append(r.Documents, Judged{File: d.File.Name, Kind: d.Kind, Target: d.Target})
	}
	sortFindings(r.Findings, order)
	return r, nil
}

// checker collects what is found.
type checker struct {
	catalogue *catalogue.Catalogue
	config    *config.Config     // nil for none
	d         *document.Document // the one being judged
	findings  []rule.Finding
}

// report adds a finding about a value of the document being judged.
func (c *checker) report(id string, n *document.Node, message, fix string) {
	c.reportAt(id, n.At, message, fix)
	c.findings[len(c.findings)-1].Path = n.Path
}

// reportAt adds a finding about a byte of the document being judged.
func (c *checker) reportAt(id string, at int, message, fix string) {
	f := rule.Of(Rules(), id).Finding(message, fix)
	f.File = c.d.File.Name
	f.Line, f.Column = c.d.Position(at)
	c.findings = append(c.findings, f)
}

// judge judges one document by itself.
func (c *checker) judge(d *document.Document) {
	c.d = d
	before := len(c.findings)
	for _, b := range d.Faults {
		f := rule.Of(Rules(), document.BrokenJSON).Finding(b.Message, b.Fix)
		f.File = d.File.Name
		f.Line, f.Column = d.File.Position(b.At)
		c.findings = append(c.findings, f)
	}
	if !d.ReadPolicy(c.report) {
		return
	}
	element.Check(c.catalogue, d, c.report)
	condition.Check(c.catalogue, d, c.report)
	danger.Check(c.config, d, c.report)
	c.checkRefused(before)
}

// sortFindings orders findings by file, in the order given, and by place.
func sortFindings(list []rule.Finding, order map[string]int) {
	slices.SortStableFunc(list, func(a, b rule.Finding) int {
		return cmp.Or(
			cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.ID, b.ID), cmp.Compare(a.Message, b.Message),
		)
	})
}

// mappings finds those that are asked for.
func (o Options) mappings() ([]config.Mapping, error) {
	if o.Config == nil {
		if len(o.Mappings) > 0 {
			return nil, errors.New("check policies: mappings need a configuration")
		}
		return nil, nil
	}
	if len(o.Mappings) == 0 {
		return o.Config.Mappings, nil
	}
	var list []config.Mapping
	for _, name := range o.Mappings {
		m, ok := o.Config.Mapping(name)
		if !ok {
			return nil, fmt.Errorf("check policies: the configuration has no mapping %s", name)
		}
		list = append(list, m)
	}
	return list, nil
}
