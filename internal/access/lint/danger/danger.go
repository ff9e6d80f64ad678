// Package danger has the rules about what AWS takes and its author is not likely to want: who is
// let in, who could be locked out, and what one statement makes of another.
//
// It promises to warn of what is plain from the document itself, and from the configuration whose a
// bucket is. It leaves to others what AWS refuses (lint/element, lint/condition) and whether
// mappings work (lint/coverage).
//
// Words to know: a clause narrows the caller when only some callers pass it; a statement that
// denies concerns all when it is about everyone but those whom it spares.
package danger

import (
	"slices"
	"strings"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/access/lint/document"
)

// Check finds what AWS takes and its author is not likely to want. The configuration may say whose
// a bucket is; nil for none.
func Check(conf *config.Config, d *document.Document, report document.Report) {
	c := &checker{config: conf, d: d, report: report}
	for _, s := range d.Policy.Statements {
		c.checkDanger(s)
	}
	c.checkWhole()
}

// checkDanger judges a statement by itself.
func (c *checker) checkDanger(s *document.Statement) {
	kind := c.d.Kind
	switch {
	case kind.OfResource() && s.Effect == "Allow":
		c.checkOpen(s)
		c.checkFullAccess(s)
		c.checkWholeAccount(s)
		c.checkForeignRoot(s)
	case s.Effect == "Deny":
		c.checkDeniesServices(s)
		c.checkLockOut(s)
		c.checkNotPrincipal(s)
		c.checkDeniesParts(s)
	}
}

// narrowsCaller is true of a clause that only some callers pass.
func narrowsCaller(cl document.Clause) bool {
	key := strings.ToLower(cl.Key.Text)
	listed := strings.HasPrefix(key, "aws:principaltag/") || slices.Contains([]string{
		"aws:principalorgid", "aws:principalorgpaths", "aws:principalarn", "aws:principalaccount", "aws:principalservicename",
		"aws:principalservicenameslist", "aws:sourcevpce", "aws:sourcevpc", "aws:sourcevpcarn", "aws:sourceip", "aws:vpcsourceip",
		"aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths", "aws:userid", "aws:username",
		"aws:federatedprovider", "aws:vpceaccount", "aws:vpceorgid", "aws:vpceorgpaths", "kms:calleraccount", "s3:dataaccesspointarn",
		"s3:dataaccesspointaccount",
	}, key)
	all := func(v *document.Node) bool {
		return strings.Trim(v.Text, "*:") == "" || v.Text == "arn:aws:*" || strings.HasSuffix(v.Text, "/0")
	}
	return listed && cl.Demands() && !slices.ContainsFunc(cl.Values, all)
}

// closedForS3 is true of a clause that keeps S3 from counting a statement as public ("Blocking
// public access to your Amazon S3 storage", "The meaning of public").
func closedForS3(cl document.Clause) bool {
	key := strings.ToLower(cl.Key.Text)
	if !narrowsCaller(cl) || strings.HasPrefix(key, "aws:principaltag/") {
		return false
	}
	return key == "s3:dataaccesspointarn" || !slices.ContainsFunc(cl.Values, func(v *document.Node) bool { return access.IsPattern(v.Text) })
}

func (c *checker) checkOpen(s *document.Statement) {
	open := s.Everyone()
	switch {
	case open == nil:
	case !slices.ContainsFunc(s.Clauses, narrowsCaller):
		c.report(openPrincipal, open, "everyone in the world is allowed, and no condition narrows who",
			`name the role, or add {"StringEquals": {"aws:PrincipalOrgID": "o-..."}}`)
	case (c.d.Kind == access.KindBucket || c.d.Kind == access.KindAccessPoint) && !slices.ContainsFunc(s.Clauses, closedForS3):
		c.report(publicForS3, open, "Block Public Access counts the statement as public: its conditions have no fixed value of a key on its list",
			"name the account or the role as principal, and keep the condition")
	}
}

// checkFullAccess takes the account of a key's first root statement for the key's own. Of a bucket
// the policy does not tell.
func (c *checker) checkFullAccess(s *document.Statement) {
	i := slices.IndexFunc(s.Actions, func(a *document.Node) bool { return a.Text == "*" || strings.HasSuffix(a.Text, ":*") })
	if i < 0 || c.d.Kind == access.KindTrust {
		return
	}
	own := c.d.OwnAccount(c.config)
	for _, p := range s.Principals {
		account := p.Account()
		if p.Kind != "AWS" || p.ID.Text == "*" || account == "" || account == own {
			continue
		}
		c.report(fullAccess, s.Actions[i], s.Actions[i].Text+" lets "+p.ID.Text+" do everything, changing the policy and deleting included",
			"name the actions that are needed; syncd policy lists them")
	}
}

func (c *checker) checkWholeAccount(s *document.Statement) {
	if c.d.Kind != access.KindTrust || !s.Mentions("sts:AssumeRole") {
		return
	}
	asks := func(cl document.Clause) bool {
		return narrowsCaller(cl) && !cl.Is("aws:PrincipalAccount") || cl.Is("sts:ExternalId") && cl.Demands()
	}
	if slices.ContainsFunc(s.Clauses, asks) {
		return
	}
	for _, p := range s.Principals {
		if p.Kind == "AWS" && p.IsRoot() && p.Account() != c.d.Account() {
			c.report(wholeAccount, p.ID, "everyone whom account "+p.Account()+" allows to may assume the role",
				`name the role that should, or add {"StringEquals": {"sts:ExternalId": "..."}}`)
		}
	}
}
