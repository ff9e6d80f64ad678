package element

import (
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/access/lint/document"
)

// checkControl checks a statement of a resource control policy (AWS Organizations User Guide, "SCP
// syntax" and "RCP syntax"). A service control policy needs no such check. Since September 2025 it
// supports the full language of identity policies, so only its size and its Version are checked.
func (c *checker) checkControl(s *document.Statement) {
	if c.d.Kind != access.KindResourceControl {
		return
	}
	const instead = "write a Deny; AWS attaches RCPFullAWSAccess, which allows everything"
	switch {
	case s.Effect == "Allow" && !allowsEverything(s):
		c.report(beyondKind, s.Find("Effect"), "only RCPFullAWSAccess may have an Allow in a resource control policy", instead)
	case s.Has("NotPrincipal"):
		c.report(beyondKind, s.Find("NotPrincipal"), "a resource control policy cannot contain NotPrincipal", `write "Principal": "*", and exempt principals in a condition`)
	case s.Has("Principal") && s.Everyone() == nil:
		c.report(beyondKind, s.Find("Principal"), "the principal of a resource control policy must be *", `write "Principal": "*", and restrict it with a condition`)
	}
	if s.Has("NotAction") {
		c.report(beyondKind, s.Find("NotAction"), "a resource control policy cannot contain NotAction", "name the denied actions")
	}
	for _, a := range s.Actions {
		c.checkControlled(s, a)
	}
}

func allowsEverything(s *document.Statement) bool {
	only := func(list []*document.Node) bool { return len(list) == 1 && list[0].Text == "*" }
	return s.Everyone() != nil && only(s.Actions) && only(s.Resources) && len(s.Clauses) == 0
}

// checkControlled reports an action that resource control policies do not support.
func (c *checker) checkControlled(s *document.Statement, a *document.Node) {
	service, _, _ := strings.Cut(strings.ToLower(a.Text), ":")
	switch {
	case service == "*" && s.Effect == "Deny":
		c.report(beyondKind, a, "a Deny in a resource control policy can use * only after a service prefix", `write s3:*, sqs:*, kms:* and any other intended services`)
	case service == "*", access.IsPattern(service), !slices.Contains(c.catalogue.Services, service):
	case !slices.Contains(c.catalogue.Controlled, service):
		c.report(uncontrolled, a, "resource control policies do not apply to "+service+", so none of its actions can be used", "deny it in a service control policy")
	}
}

// checkVersion reports a policy of AWS Organizations that has no Version, or the old Version
// 2008-10-17.
func (c *checker) checkVersion() {
	v := c.d.Root.Find("Version")
	switch {
	case !c.d.Kind.OfOrganization():
	case v == nil:
		c.report(document.MissingElement, c.d.Root, c.d.Kind.WithArticle()+" has no Version", `add "Version": "2012-10-17"`)
	case v.Text == "2008-10-17":
		c.report(document.WrongType, v, c.d.Kind.WithArticle()+" cannot have the old Version", `write "2012-10-17"`)
	}
}
