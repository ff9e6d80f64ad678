package access

import (
	"slices"
	"strings"
)

// checkControl holds a statement of a policy of an organization to what its kind may say ("SCP syntax" and "RCP syntax", AWS
// Organizations User Guide). A service control policy has the whole language of identity policies since September 2025, and no rule of
// its own but for its size and its Version.
func (c *elementChecker) checkControl(s *statement) {
	if c.d.kind != KindResourceControl {
		return
	}
	const instead = "write a Deny; RCPFullAWSAccess, which allows everything, is attached by AWS"
	switch {
	case s.effect == "Allow" && !allowsEverything(s):
		c.report(beyondKind, s.find("Effect"), "Allow in a resource control policy is for RCPFullAWSAccess alone", instead)
	case s.has("NotPrincipal"):
		c.report(beyondKind, s.find("NotPrincipal"), "a resource control policy has no NotPrincipal", `write "Principal": "*", and spare in a condition`)
	case s.has("Principal") && s.everyone() == nil:
		c.report(beyondKind, s.find("Principal"), "the principal of a resource control policy is *", `write "Principal": "*", and narrow by a condition`)
	}
	if s.has("NotAction") {
		c.report(beyondKind, s.find("NotAction"), "a resource control policy has no NotAction", "name the actions that are denied")
	}
	for _, a := range s.actions {
		c.checkControlled(s, a)
	}
}

func allowsEverything(s *statement) bool {
	only := func(list []*node) bool { return len(list) == 1 && list[0].text == "*" }
	return s.everyone() != nil && only(s.actions) && only(s.resources) && len(s.clauses) == 0
}

// checkControlled finds actions that resource control policies do not reach.
func (c *elementChecker) checkControlled(s *statement, a *node) {
	service, _, _ := strings.Cut(strings.ToLower(a.text), ":")
	switch {
	case service == "*" && s.effect == "Deny":
		c.report(beyondKind, a, "a resource control policy that denies has * only behind a service", `write s3:*, sqs:*, kms:* and the others that are meant`)
	case service == "*", wild(service), !slices.Contains(c.catalogue.services, service):
	case !slices.Contains(c.catalogue.controlled, service):
		c.report(uncontrolled, a, "resource control policies do not apply to "+service+", and take none of its actions", "deny it in a service control policy")
	}
}

// checkVersion asks for the version of the language, which a policy of an organization cannot leave out.
func (c *elementChecker) checkVersion() {
	v := c.d.root.find("Version")
	switch {
	case !c.d.kind.ofOrganization():
	case v == nil:
		c.report(missingElement, c.d.root, c.d.kind.policyOf()+" without a Version", `add "Version": "2012-10-17"`)
	case v.text == "2008-10-17":
		c.report(wrongType, v, c.d.kind.policyOf()+" of the old version", `write "2012-10-17"`)
	}
}
