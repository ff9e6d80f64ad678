package element

import (
	"syncd/internal/access"
	"syncd/internal/access/lint/document"
	"syncd/internal/ascii"
)

// checkShape checks that the statement has the elements that its kind of policy requires, and none
// that this kind cannot have.
func (c *checker) checkShape(s *document.Statement) {
	kind := c.d.Kind
	if s.Sid != "" && !ascii.Word(s.Sid, "") && (kind == access.KindTrust || !kind.OfResource()) {
		c.report(badSid, s.Find("Sid"), "the Sid has characters other than letters and digits", "use only letters and digits, for example ReadObjects")
	}
	c.checkNamed(s)
	if !s.Has("Action") && !s.Has("NotAction") {
		c.report(document.MissingElement, s.Node, "the statement has no Action", `add "Action": [...]`)
	}
	switch resource := s.Has("Resource") || s.Has("NotResource"); {
	case resource && kind == access.KindTrust:
		c.report(misplacedResource, s.Find("Resource", "NotResource"), "a trust policy cannot contain Resource", "remove it: the resource is the role itself")
	case !resource && kind == access.KindKey:
		c.report(document.MissingElement, s.Node, "the statement has no Resource, so it has no effect", `add "Resource": "*", which in a key policy means this key`)
	case !resource && kind != access.KindTrust:
		c.report(document.MissingElement, s.Node, "the statement has no Resource", `add "Resource": [...]`)
	}
}

// checkNamed checks that the statement names principals if and only if its kind of policy requires
// them, and that it names them in a valid way.
func (c *checker) checkNamed(s *document.Statement) {
	kind, named := c.d.Kind, s.Has("Principal") || s.Has("NotPrincipal")
	switch {
	case kind == access.KindResourceControl && named: // checkControl checks the principals
	case named && !kind.OfResource():
		c.report(misplacedPrincipal, s.Find("Principal", "NotPrincipal"), "Principal cannot be used in "+kind.WithArticle(),
			"remove it: this kind of policy applies to the principal that it is attached to; if this is a bucket, key, queue or trust policy, set --kind")
	case !named && kind == access.KindResourceControl:
		c.report(missingPrincipal, s.Node, "the statement of "+kind.WithArticle()+" has no Principal", `add "Principal": "*"`)
	case !named && kind.OfResource():
		c.report(missingPrincipal, s.Node, "the statement of "+kind.WithArticle()+" has no Principal", `add "Principal": {"AWS": "arn:aws:iam::111111111111:role/NAME"}`)
	case kind == access.KindTrust && s.Has("NotPrincipal"):
		c.report(notPrincipalTrust, s.Find("NotPrincipal"), "a trust policy cannot contain NotPrincipal",
			`name who may assume the role in Principal; to exempt principals from a Deny, write "Principal": "*" with a condition on aws:PrincipalArn`)
	case s.Effect == "Allow" && s.Has("NotPrincipal"):
		c.report(notPrincipalAllow, s.Find("NotPrincipal"), "NotPrincipal with Allow allows everyone who is not listed", "name the intended principals in Principal")
	}
}
