// Package element has the rules about what the elements of a policy name: actions, resources,
// principals, variables, placeholders, and what a document of its kind may and must have, its size
// included.
//
// It promises that what [Check] reports as an error is refused by AWS, or never matches anything.
// It leaves to others the grammar (lint/document), conditions (lint/condition), and what a document
// in order lets in (lint/danger).
//
// Words to know: an action reaches when a resource of its statement is of the type that it acts on;
// it is foreign when the kind of policy is about another service.
package element

import (
	"slices"

	"syncd/internal/access"
	"syncd/internal/access/lint/catalogue"
	"syncd/internal/access/lint/document"
)

// Check finds what the elements of a policy name that does not exist, or that does not belong
// there.
func Check(names *catalogue.Catalogue, d *document.Document, report document.Report) {
	c := &checker{catalogue: names, d: d, report: report}
	if !d.Broken {
		c.checkSize()
	}
	c.checkVersion()
	for _, s := range d.Policy.Statements {
		c.checkStatement(s)
	}
	switch d.Kind { //nolint:exhaustive // the others have nothing more to say
	case access.KindTrust:
		c.checkAssumable()
	case access.KindBucket:
		c.checkOneBucket()
	case access.KindAccessPoint:
		c.checkOnePoint()
	}
}

// checkStatement judges a statement by itself.
func (c *checker) checkStatement(s *document.Statement) {
	c.checkShape(s)
	for _, a := range slices.Concat(s.Actions, s.NotActions) {
		c.checkAction(a)
	}
	for _, r := range slices.Concat(s.Resources, s.NotResources) {
		c.checkResource(r)
	}
	for _, p := range slices.Concat(s.Principals, s.NotPrincipals) {
		if f := principalFault(p); f.message != "" {
			c.report(nameRule(p.ID.Text, badPrincipal), p.ID, f.message, f.fix)
		}
	}
	c.checkReach(s)
	c.checkControl(s)
	c.checkPlaceholders(s)
	c.checkVariables(s)
}
