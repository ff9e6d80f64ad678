package access

import "slices"

// checkElements finds what the elements of a policy name that does not exist, or that does not belong there.
func checkElements(names *catalogue, d *document, report report) {
	c := &elementChecker{catalogue: names, d: d, report: report}
	if !d.broken {
		c.checkSize()
	}
	c.checkVersion()
	for _, s := range d.policy.statements {
		c.checkStatement(s)
	}
	switch d.kind { //nolint:exhaustive // the others have nothing more to say
	case KindTrust:
		c.checkAssumable()
	case KindBucket:
		c.checkOneBucket()
	case KindAccessPoint:
		c.checkOnePoint()
	}
}

// elementChecker judges the elements of one document.
type elementChecker struct {
	catalogue *catalogue
	d         *document
	report    report
}

// checkStatement judges a statement by itself.
func (c *elementChecker) checkStatement(s *statement) {
	c.checkShape(s)
	for _, a := range slices.Concat(s.actions, s.notActions) {
		c.checkAction(a)
	}
	for _, r := range slices.Concat(s.resources, s.notResources) {
		c.checkResource(r)
	}
	for _, p := range slices.Concat(s.principals, s.notPrincipals) {
		if f := principalFault(p); f.message != "" {
			c.report(nameRule(p.id.text, badPrincipal), p.id, f.message, f.fix)
		}
	}
	c.checkReach(s)
	c.checkControl(s)
	c.checkPlaceholders(s)
	c.checkVariables(s)
}
