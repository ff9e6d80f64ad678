// Package danger implements the rules about policies that AWS accepts but that are probably not
// intended. They examine which principals are allowed, which could be locked out, and how
// statements affect each other.
//
// The rules use only the document itself and, if a configuration is given, the owners of buckets
// that it names. Other packages find what AWS rejects (lint/element, lint/condition), and decide
// whether mappings work (lint/coverage).
//
// Terms: a clause is one condition key of a statement, with its operator and values. A clause
// narrows the caller if only some callers can match it. A Deny statement concerns all if it applies
// to everyone except the callers that it exempts.
package danger

import (
	"slices"
	"strings"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/access/lint/document"
)

// Check reports what AWS accepts but is probably not intended. The configuration identifies the
// owners of buckets and may be nil.
func Check(conf *config.Config, d *document.Document, report document.Report) {
	c := &checker{config: conf, d: d, report: report}
	for _, s := range d.Policy.Statements {
		c.checkDanger(s)
	}
	c.checkWhole()
}

// checkDanger checks one statement.
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

// narrowsCaller reports whether only some callers can match the clause.
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

// closedForS3 reports whether a statement with this clause counts as non-public in S3 ("Blocking
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
		c.report(openPrincipal, open, "everyone in the world is allowed, and no condition restricts the caller",
			`name the role, or add {"StringEquals": {"aws:PrincipalOrgID": "o-..."}}`)
	case (c.d.Kind == access.KindBucket || c.d.Kind == access.KindAccessPoint) && !slices.ContainsFunc(s.Clauses, closedForS3):
		c.report(publicForS3, open, "Block Public Access considers the statement public: no condition requires a fixed value for a key that it accepts",
			"name the account or the role as principal, and keep the condition")
	}
}

// checkFullAccess reports every action of a service that is allowed to another account. The owner
// of the resource is [document.Document.OwnAccount]; if it is unknown, every named account counts
// as another account.
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
		c.report(fullAccess, s.Actions[i], s.Actions[i].Text+" allows "+p.ID.Text+" to do everything, including changing the policy and deleting the resource",
			"name the required actions; syncd policy lists them")
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
			c.report(wholeAccount, p.ID, "every principal to which account "+p.Account()+" grants sts:AssumeRole can assume the role",
				`name the intended role, or add {"StringEquals": {"sts:ExternalId": "..."}}`)
		}
	}
}
