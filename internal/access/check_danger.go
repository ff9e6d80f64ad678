package access

import (
	"cmp"
	"slices"
	"strings"
)

// checkDanger finds what AWS takes and nobody is likely to want.
func (c *checker) checkDanger(s *statement) {
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

// everyone is the principal that stands for the world; nil when there is none.
func (s *statement) everyone() *node {
	for _, p := range s.principals {
		if p.kind == "AWS" && p.id.text == "*" {
			return p.id
		}
	}
	return nil
}

// concernsAll reports whether a statement that denies is about everyone, but for those whom it or its condition spares.
func (s *statement) concernsAll() bool { return s.everyone() != nil || len(s.notPrincipals) > 0 }

// narrowsCaller is true of a clause that only some callers pass.
func (cl clause) narrowsCaller() bool {
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
func (cl clause) closedForS3() bool {
	key := strings.ToLower(cl.key.text)
	if !cl.narrowsCaller() || strings.HasPrefix(key, "aws:principaltag/") {
		return false
	}
	return key == "s3:dataaccesspointarn" || !slices.ContainsFunc(cl.values, func(v *node) bool { return wild(v.text) })
}

func (c *checker) checkOpen(s *statement) {
	open := s.everyone()
	switch {
	case open == nil:
	case !slices.ContainsFunc(s.clauses, clause.narrowsCaller):
		c.report(openPrincipal, open, "everyone in the world is allowed, and no condition narrows who",
			`name the role, or add {"StringEquals": {"aws:PrincipalOrgID": "o-..."}}`)
	case (c.d.kind == KindBucket || c.d.kind == KindAccessPoint) && !slices.ContainsFunc(s.clauses, clause.closedForS3):
		c.report(publicForS3, open, "Block Public Access counts the statement as public: its conditions have no fixed value of a key on its list",
			"name the account or the role as principal, and keep the condition")
	}
}

// checkFullAccess takes the account of a key's first root statement for the key's own. Of a bucket the policy does not tell.
func (c *checker) checkFullAccess(s *statement) {
	i := slices.IndexFunc(s.actions, func(a *node) bool { return a.text == "*" || strings.HasSuffix(a.text, ":*") })
	if i < 0 || c.d.kind == KindTrust {
		return
	}
	own := c.ownAccount()
	for _, p := range s.principals {
		account := accountOfPrincipal(p.id.text)
		if p.kind != "AWS" || p.id.text == "*" || account == "" || account == own {
			continue
		}
		c.report(fullAccess, s.actions[i], s.actions[i].text+" lets "+p.id.text+" do everything, changing the policy and deleting included",
			"name the actions that are needed; syncd policy lists them")
	}
}

// ownAccount is the account that the document's resource belongs to; "" when that is not known.
func (c *checker) ownAccount() string {
	if account := cmp.Or(c.d.owner, accountOf(c.d.target)); account != "" {
		return account
	}
	switch c.d.kind { //nolint:exhaustive // the others are looked at below
	case KindBucket:
		return c.accountOfBucket(c.d.bucket())
	case KindAccessPoint:
		return accountOf(c.d.policy.accessPoint())
	}
	if c.d.kind != KindKey {
		return ""
	}
	for _, s := range c.d.policy.statements {
		for _, p := range s.principals {
			if s.effect == "Allow" && isRoot(p.id.text) {
				return accountOfPrincipal(p.id.text)
			}
		}
	}
	return ""
}

// accountOfBucket is the account that the configuration says a bucket belongs to; "" when it says none.
func (c *checker) accountOfBucket(bucket string) string {
	if c.config == nil || bucket == "" {
		return ""
	}
	for _, m := range c.config.Mappings {
		switch bucket {
		case m.Source.Holder():
			return m.Source.Account
		case m.Destination.Bucket:
			return m.Destination.Account
		}
	}
	return ""
}

// isRoot is true of a principal that is a whole account.
func isRoot(id string) bool { return isAccount(id) || strings.HasSuffix(id, ":root") }

func accountOfPrincipal(id string) string {
	if isAccount(id) {
		return id
	}
	return accountOf(id)
}

func (c *checker) checkWholeAccount(s *statement) {
	if c.d.kind != KindTrust || !s.mentions("sts:AssumeRole") {
		return
	}
	asks := func(cl clause) bool {
		return cl.narrowsCaller() && !cl.is("aws:PrincipalAccount") || cl.is("sts:ExternalId") && cl.demands()
	}
	if slices.ContainsFunc(s.clauses, asks) {
		return
	}
	for _, p := range s.principals {
		if p.kind == "AWS" && isRoot(p.id.text) && accountOfPrincipal(p.id.text) != c.d.account() {
			c.report(wholeAccount, p.id, "everyone whom account "+accountOfPrincipal(p.id.text)+" allows to may assume the role",
				`name the role that should, or add {"StringEquals": {"sts:ExternalId": "..."}}`)
		}
	}
}

// mentions reports whether the statement is about an action.
func (s *statement) mentions(action string) bool {
	matches := func(a *node) bool { return covers(strings.ToLower(a.text), strings.ToLower(action)) }
	if len(s.notActions) > 0 {
		return !slices.ContainsFunc(s.notActions, matches)
	}
	return slices.ContainsFunc(s.actions, matches)
}

// sparing is true of a key by which a deny can spare AWS services.
func sparing(key string) bool {
	return slices.Contains([]string{
		"aws:principalisawsservice", "aws:viaawsservice", "aws:principalservicename", "aws:principalservicenameslist", "aws:calledvia",
		"aws:calledviafirst", "aws:calledvialast",
	}, strings.ToLower(key))
}

// checkDeniesServices knows the keys that requests of AWS services lack: a service with its own principal has no organization, and one
// that acts with the caller's credentials comes from no endpoint of the caller's.
func (c *checker) checkDeniesServices(s *statement) {
	keys := []string{"aws:sourcevpce", "aws:sourcevpc", "aws:sourceip", "aws:vpcsourceip"}
	if c.d.kind.ofResource() || c.d.kind == KindResourceControl {
		keys = append(keys, "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount")
	}
	if c.d.kind == KindTrust || c.d.kind.ofResource() && !s.concernsAll() {
		return
	}
	for _, cl := range s.clauses {
		if sparing(cl.key.text) {
			return
		}
	}
	for _, cl := range s.clauses {
		if cl.negated && slices.Contains(keys, strings.ToLower(cl.key.text)) && !s.guarded(cl.key.text) {
			c.report(deniesServices, cl.key, "requests of AWS services carry no "+cl.key.text+" of yours, and are denied too",
				`add {"BoolIfExists": {"aws:PrincipalIsAWSService": "false", "aws:ViaAWSService": "false"}}`)
			return
		}
	}
}

// checkLockOut finds a deny that covers the right to change the policy itself.
func (c *checker) checkLockOut(s *statement) {
	own := map[Kind]string{KindBucket: "s3:PutBucketPolicy", KindKey: "kms:PutKeyPolicy", KindQueue: "sqs:SetQueueAttributes"}[c.d.kind]
	if own == "" || !s.concernsAll() || !s.mentions(own) {
		return
	}
	onBucket := func(r *node) bool { return acted("bucket", r.text) }
	if c.d.kind == KindBucket && len(s.resources) > 0 && !slices.ContainsFunc(s.resources, onBucket) {
		return
	}
	for _, cl := range s.clauses {
		if !sparing(cl.key.text) && !cl.sparesFew() {
			return
		}
	}
	if slices.ContainsFunc(s.notPrincipals, func(p principal) bool { return isRoot(p.id.text) }) {
		return
	}
	c.report(lockOut, s.find("Action", "NotAction"), "the deny covers "+own+" for everyone but those whom the statement spares",
		"leave "+own+" and its like out of the deny, or spare an administrator and the root of the account too")
}

// sparesFew is true of a clause of a deny that spares named callers or networks only.
func (cl clause) sparesFew() bool {
	key := strings.ToLower(cl.key.text)
	few := strings.HasPrefix(key, "aws:principaltag/") ||
		slices.Contains([]string{"aws:principalarn", "aws:userid", "aws:username", "aws:sourcevpce", "aws:sourcevpc", "aws:sourceip"}, key)
	root := func(v *node) bool { return strings.HasSuffix(v.text, ":root") }
	return few && cl.negated && !slices.ContainsFunc(cl.values, root)
}
