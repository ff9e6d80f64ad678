// Package element implements the rules about the elements of a policy: actions, resources,
// principals, variables, placeholders, the elements that a kind of policy requires or excludes, and
// its size.
//
// An error from [Check] means that AWS rejects the element, or that the element never matches
// anything. Other packages check the grammar (lint/document), conditions (lint/condition), and what
// a valid document allows (lint/danger).
//
// Terms: an action reaches a resource if the resource has the type that the action applies to. An
// action is foreign if its service is not the service of the policy's kind, such as an s3 action in
// a key policy.
package element

import (
	"slices"

	"syncd/internal/access"
	"syncd/internal/access/lint/catalogue"
	"syncd/internal/access/lint/document"
)

// Check reports names that do not exist, elements that the policy must not have, and required
// elements that it lacks.
func Check(names *catalogue.Catalogue, d *document.Document, report document.Report) {
	c := &checker{catalogue: names, d: d, report: report}
	if !d.Broken {
		c.checkSize()
	}
	c.checkVersion()
	for _, s := range d.Policy.Statements {
		c.checkStatement(s)
	}
	switch d.Kind { //nolint:exhaustive // the other kinds have no further rules
	case access.KindTrust:
		c.checkAssumable()
	case access.KindBucket:
		c.checkOneBucket()
	case access.KindAccessPoint:
		c.checkOnePoint()
	}
}

// checkStatement checks one statement.
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
