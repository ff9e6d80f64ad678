package access

import (
	"slices"
	"strings"

	"syncd/config"
)

// checkDangers finds what AWS takes and its author is not likely to want. The configuration may say whose a bucket is; nil for none.
func checkDangers(conf *config.Config, d *document, report report) {
	c := &dangerChecker{config: conf, d: d, report: report}
	for _, s := range d.policy.statements {
		c.checkDanger(s)
	}
	c.checkWhole()
}

// dangerChecker judges what one document lets in.
type dangerChecker struct {
	config *config.Config
	d      *document
	report report
}

// checkDanger judges a statement by itself.
func (c *dangerChecker) checkDanger(s *statement) {
	kind := c.d.kind
	switch {
	case kind.ofResource() && s.effect == "Allow":
		c.checkOpen(s)
		c.checkFullAccess(s)
		c.checkWholeAccount(s)
		c.checkForeignRoot(s)
	case s.effect == "Deny":
		c.checkDeniesServices(s)
		c.checkLockOut(s)
		c.checkNotPrincipal(s)
		c.checkDeniesParts(s)
	}
}

// narrowsCaller is true of a clause that only some callers pass.
func narrowsCaller(cl clause) bool {
	key := strings.ToLower(cl.key.text)
	listed := strings.HasPrefix(key, "aws:principaltag/") || slices.Contains([]string{
		"aws:principalorgid", "aws:principalorgpaths", "aws:principalarn", "aws:principalaccount", "aws:principalservicename",
		"aws:principalservicenameslist", "aws:sourcevpce", "aws:sourcevpc", "aws:sourcevpcarn", "aws:sourceip", "aws:vpcsourceip",
		"aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths", "aws:userid", "aws:username",
		"aws:federatedprovider", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths", "kms:calleraccount", "s3:dataaccesspointarn",
		"s3:dataaccesspointaccount",
	}, key)
	all := func(v *node) bool {
		return strings.Trim(v.text, "*:") == "" || v.text == "arn:aws:*" || strings.HasSuffix(v.text, "/0")
	}
	return listed && cl.demands() && !slices.ContainsFunc(cl.values, all)
}

// closedForS3 is true of a clause that keeps S3 from counting a statement as public ("Blocking public access to your Amazon S3
// storage", "The meaning of public").
func closedForS3(cl clause) bool {
	key := strings.ToLower(cl.key.text)
	if !narrowsCaller(cl) || strings.HasPrefix(key, "aws:principaltag/") {
		return false
	}
	return key == "s3:dataaccesspointarn" || !slices.ContainsFunc(cl.values, func(v *node) bool { return wild(v.text) })
}

func (c *dangerChecker) checkOpen(s *statement) {
	open := s.everyone()
	switch {
	case open == nil:
	case !slices.ContainsFunc(s.clauses, narrowsCaller):
		c.report(openPrincipal, open, "everyone in the world is allowed, and no condition narrows who",
			`name the role, or add {"StringEquals": {"aws:PrincipalOrgID": "o-..."}}`)
	case (c.d.kind == KindBucket || c.d.kind == KindAccessPoint) && !slices.ContainsFunc(s.clauses, closedForS3):
		c.report(publicForS3, open, "Block Public Access counts the statement as public: its conditions have no fixed value of a key on its list",
			"name the account or the role as principal, and keep the condition")
	}
}

// checkFullAccess takes the account of a key's first root statement for the key's own. Of a bucket the policy does not tell.
func (c *dangerChecker) checkFullAccess(s *statement) {
	i := slices.IndexFunc(s.actions, func(a *node) bool { return a.text == "*" || strings.HasSuffix(a.text, ":*") })
	if i < 0 || c.d.kind == KindTrust {
		return
	}
	own := c.d.ownAccount(c.config)
	for _, p := range s.principals {
		account := p.account()
		if p.kind != "AWS" || p.id.text == "*" || account == "" || account == own {
			continue
		}
		c.report(fullAccess, s.actions[i], s.actions[i].text+" lets "+p.id.text+" do everything, changing the policy and deleting included",
			"name the actions that are needed; syncd policy lists them")
	}
}

func (c *dangerChecker) checkWholeAccount(s *statement) {
	if c.d.kind != KindTrust || !s.mentions("sts:AssumeRole") {
		return
	}
	asks := func(cl clause) bool {
		return narrowsCaller(cl) && !cl.is("aws:PrincipalAccount") || cl.is("sts:ExternalId") && cl.demands()
	}
	if slices.ContainsFunc(s.clauses, asks) {
		return
	}
	for _, p := range s.principals {
		if p.kind == "AWS" && p.isRoot() && p.account() != c.d.account() {
			c.report(wholeAccount, p.id, "everyone whom account "+p.account()+" allows to may assume the role",
				`name the role that should, or add {"StringEquals": {"sts:ExternalId": "..."}}`)
		}
	}
}
