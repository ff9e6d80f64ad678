// Package lint checks policy documents without requests to AWS: `syncd policy check`.
//
// [Check] reads the documents (lint/document) and applies the rules to each of them (lint/element,
// lint/condition, lint/danger). With a configuration, it also decides whether all documents
// together allow what its mappings need (lint/coverage). The same input always gives the same
// report. Every finding has a fix, and an ID whose meaning never changes. A document that package
// iam rejects always has a finding. [Rules] lists every kind of finding.
//
// Package iam evaluates policies, package access determines what mappings need, and access/doctor
// sends requests to AWS.
//
// Terms: a finding is a fault in one document, or a permission that a mapping lacks. A rule is a
// kind of finding.
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

// Options selects additional checks. With the zero value, only each document on its own is checked.
type Options struct {
	// Config is the configuration whose mappings must work with the documents, or nil.
	Config *config.Config
	// Mappings contains the names of the mappings that must work. Empty means all mappings.
	Mappings []string
}

// Judged is a document found in a file.
type Judged struct {
	File   string      `json:"file"`
	Kind   access.Kind `json:"kind"`
	Target string      `json:"target,omitempty"` // the role, user or resource that the document is attached to; "" if neither the text nor the caller names it
}

// Report is the result of a check.
type Report struct {
	Documents []Judged       `json:"documents"`
	Findings  []rule.Finding `json:"findings"` // in the order of the files, then of the lines
}

// Wrong reports whether there is an error or a warning. A document must then be changed.
func (r Report) Wrong() bool {
	return slices.ContainsFunc(r.Findings, func(f rule.Finding) bool { return f.Severity != rule.SeverityNote })
}

// Check checks documents without requests to AWS. It reports what AWS would reject, what does not
// have the intended effect, and what allows more than it should. With a configuration, it also
// reports permissions that the mappings lack. The same input always gives the same report. Check
// returns an error only if the options are invalid. Faults of a file are findings.
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

// checker collects findings.
type checker struct {
	catalogue *catalogue.Catalogue
	config    *config.Config     // may be nil
	d         *document.Document // the current document
	findings  []rule.Finding
}

// report adds a finding about a value in the current document.
func (c *checker) report(id string, n *document.Node, message, fix string) {
	c.reportAt(id, n.At, message, fix)
	c.findings[len(c.findings)-1].Path = n.Path
}

// reportAt adds a finding about a byte offset in the current document.
func (c *checker) reportAt(id string, at int, message, fix string) {
	f := rule.Of(Rules(), id).Finding(message, fix)
	f.File = c.d.File.Name
	f.Line, f.Column = c.d.Position(at)
	c.findings = append(c.findings, f)
}

// judge checks one document.
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

// sortFindings sorts findings by file, then by location. order contains the position of each file
// by its name. Findings that are not about a file come first.
func sortFindings(list []rule.Finding, order map[string]int) {
	slices.SortStableFunc(list, func(a, b rule.Finding) int {
		return cmp.Or(
			cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.ID, b.ID), cmp.Compare(a.Message, b.Message),
		)
	})
}

// mappings returns the selected mappings.
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
