package access

import (
	"strings"
)

// checkShape knows which elements the kind of policy has to have, and which it must not.
func (c *elementChecker) checkShape(s *statement) {
	kind := c.d.kind
	odd := func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') }
	if strings.ContainsFunc(s.sid, odd) && (kind == KindTrust || !kind.ofResource()) {
		c.report(badSid, s.find("Sid"), "the Sid has characters other than letters and digits", "leave them out, and write words LikeThis")
	}
	c.checkNamed(s)
	if !s.has("Action") && !s.has("NotAction") {
		c.report(missingElement, s.node, "the statement has no Action", `add "Action": [...]`)
	}
	switch resource := s.has("Resource") || s.has("NotResource"); {
	case resource && kind == KindTrust:
		c.report(misplacedResource, s.find("Resource", "NotResource"), "Resource has no place in a trust policy", "remove it: the resource is the role itself")
	case !resource && kind == KindKey:
		c.report(missingElement, s.node, "the statement has no Resource, and so no effect", `add "Resource": "*", which in a key policy is this key`)
	case !resource && kind != KindTrust:
		c.report(missingElement, s.node, "the statement has no Resource", `add "Resource": [...]`)
	}
}

// checkNamed knows which kinds of policy name principals, and how.
func (c *elementChecker) checkNamed(s *statement) {
	kind, named := c.d.kind, s.has("Principal") || s.has("NotPrincipal")
	switch {
	case kind == KindResourceControl && named: // checkControl knows what it may say
	case named && !kind.ofResource():
		c.report(misplacedPrincipal, s.find("Principal", "NotPrincipal"), "Principal has no place in "+kind.policyOf(),
			"remove it: the policy is about the principal it is attached to; or is this the policy of a bucket, key, queue or role?")
	case !named && kind == KindResourceControl:
		c.report(missingPrincipal, s.node, "the statement of "+kind.policyOf()+" has no Principal", `add "Principal": "*"`)
	case !named && kind.ofResource():
		c.report(missingPrincipal, s.node, "the statement of "+kind.policyOf()+" has no Principal", `add "Principal": {"AWS": "arn:aws:iam::111111111111:role/NAME"}`)
	case kind == KindTrust && s.has("NotPrincipal"):
		c.report(notPrincipalTrust, s.find("NotPrincipal"), "NotPrincipal has no place in a trust policy",
			`name with Principal who may assume the role; to spare some from a Deny write "Principal": "*" with a condition on aws:PrincipalArn`)
	case s.effect == "Allow" && s.has("NotPrincipal"):
		c.report(notPrincipalAllow, s.find("NotPrincipal"), "NotPrincipal beside Allow lets in everyone who is not listed", "name with Principal who is meant")
	}
}
