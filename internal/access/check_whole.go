package access

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// checkWhole judges what the statements of a policy say together.
func (c *checker) checkWhole() {
	switch c.d.kind {
	case KindTrust:
		c.checkAssumable()
	case KindKey:
		c.checkKeyAdmin()
		c.checkReaders()
	case KindBucket:
		c.checkOneBucket()
		c.checkReaders()
	case KindAccessPoint:
		c.checkOnePoint()
		c.checkReaders()
	case KindIdentity, KindQueue, KindSession, KindLifecycle, KindServiceControl, KindResourceControl:
	}
	c.checkShadows()
}

func (c *checker) checkAssumable() {
	if !c.d.policy.allows("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML") {
		c.report(noAssumeRole, c.d.root.find("Statement"), "no statement allows sts:AssumeRole", "add a statement that does, or sts:AssumeRole to one")
	}
	if !c.d.policy.allows("sts:TagSession") {
		c.checkTagSession()
	}
}

// checkTagSession finds a statement that asks for session tags where nobody may pass any: AssumeRole with tags is allowed only to who is
// allowed sts:TagSession too ("Pass session tags in AWS STS", IAM User Guide).
func (c *checker) checkTagSession() {
	onTags := func(cl clause) bool {
		key := strings.ToLower(cl.key.text)
		asked := cl.demands() || cl.family == "Null" && !cl.holdsWithout()
		return asked && (strings.HasPrefix(key, "aws:requesttag/") || key == "aws:tagkeys" || key == "sts:transitivetagkeys")
	}
	for _, s := range c.d.policy.statements {
		i := slices.IndexFunc(s.clauses, onTags)
		if s.effect == "Allow" && i >= 0 && s.mentions("sts:AssumeRole") {
			c.report(noTagSession, s.find("Action", "NotAction"), "the statement asks for session tags, and none allows sts:TagSession: nobody can assume the role with them",
				`add {"Effect": "Allow", "Principal": ..., "Action": "sts:TagSession"} for the same principal, in a statement without sts:ExternalId`)
			return
		}
	}
}

// allows reports whether a statement allows one of the actions to somebody.
func (p *policy) allows(actions ...string) bool {
	return slices.ContainsFunc(p.statements, func(s *statement) bool {
		return s.effect == "Allow" && slices.ContainsFunc(actions, s.mentions)
	})
}

func (c *checker) checkKeyAdmin() {
	if id := c.d.root.find("Id"); id != nil && strings.HasPrefix(id.text, "auto-") {
		c.report(managedByAWS, id, "the policy of an AWS managed key: it cannot be changed, and no other account can use the key",
			"encrypt what is to be shared under a key of your own")
		return
	}
	if !c.d.addition() && !c.d.policy.allows("kms:PutKeyPolicy") {
		c.report(keyWithoutAdmin, c.d.root.find("Statement"), "no statement allows kms:PutKeyPolicy: nobody could change this policy again",
			`add the statement {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::ACCOUNT:root"}, "Action": "kms:*", "Resource": "*"} `+
				"with the account of the key, or put these statements beside those that the key has")
	}
}

// checkOneBucket finds resources of another bucket than the first that the policy names.
func (c *checker) checkOneBucket() {
	first := ""
	for _, s := range c.d.policy.statements {
		for _, r := range slices.Concat(s.resources, s.notResources) {
			a := parseARN(r.text)
			name, _, _ := strings.Cut(a.resource, "/")
			if r.text == "*" || a.service == "s3" && !a.accessPoint() && strings.HasPrefix(name, "*") {
				c.report(foreignResource, r, r.text+" is more than one bucket: S3 stores no bucket policy with such a resource",
					"write arn:aws:s3:::NAME for the bucket, arn:aws:s3:::NAME/* for its objects")
				continue
			}
			if a.service != "s3" || wild(name) || a.accessPoint() || resourceFault(r.text).message != "" {
				continue
			}
			if first == "" {
				first = name
			}
			if name != first {
				c.report(foreignResource, r, "the bucket "+name+" beside "+first+": a bucket policy is about one bucket",
					"move it to the policy of "+name)
			}
		}
	}
}

// checkOnePoint finds resources that are no access point, or another than the first that the policy names.
func (c *checker) checkOnePoint() {
	first := c.d.policy.accessPoint()
	for _, s := range c.d.policy.statements {
		for _, r := range slices.Concat(s.resources, s.notResources) {
			point := pointOf(r.text)
			if a := parseARN(r.text); point == first || a.service != "s3" || wild(a.resource[:min(1, len(a.resource))]) || resourceFault(r.text).message != "" {
				continue
			}
			what := cmp.Or(point, r.text)
			c.report(foreignResource, r, what+" beside "+first+": the policy of an access point is about one access point", "move it to the policy of "+what)
		}
	}
}

// checkReaders finds principals that may read and not write, but may destroy or hand on.
func (c *checker) checkReaders() {
	reading, writing, further := readerActions(c.d.kind)
	allowed := map[string][]*node{}
	for _, s := range c.d.policy.statements {
		for _, p := range s.principals {
			if s.effect == "Allow" && p.kind == "AWS" && p.id.text != "*" {
				allowed[p.id.text] = append(allowed[p.id.text], s.actions...)
			}
		}
	}
	reported := map[*node]bool{}
	for _, id := range slices.Sorted(maps.Keys(allowed)) {
		if !allowsAny(allowed[id], reading) || allowsAny(allowed[id], writing) {
			continue
		}
		for _, a := range allowed[id] {
			if !reported[a] && allowsAny([]*node{a}, further) {
				reported[a] = true
				c.report(readerMayChange, a, id+" reads and does not write, and has "+a.text, "remove "+a.text+": reading does not need it")
			}
		}
	}
}

// readerActions are those by which a reader is known, those by which a writer is, and those that a reader should not have.
func readerActions(k Kind) (reading, writing, further []string) {
	if k == KindKey {
		return []string{"kms:Decrypt"}, []string{"kms:Encrypt", "kms:GenerateDataKey"}, []string{
			"kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:CreateGrant", "kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy",
		}
	}
	return []string{"s3:GetObject", "s3:ListBucket"}, []string{"s3:PutObject"}, []string{
		"s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:DeleteBucket",
		"s3:PutObjectAcl", "s3:PutBucketAcl", "s3:PutLifecycleConfiguration", "s3:PutEncryptionConfiguration",
		"s3:PutReplicationConfiguration", "s3:BypassGovernanceRetention",
	}
}

func allowsAny(patterns []*node, actions []string) bool {
	return slices.ContainsFunc(patterns, func(p *node) bool {
		return slices.ContainsFunc(actions, func(a string) bool { return covers(strings.ToLower(p.text), strings.ToLower(a)) })
	})
}

// checkShadows finds statements that allow nothing because another one denies all of it.
func (c *checker) checkShadows() {
	for _, s := range c.d.policy.statements {
		if s.effect != "Allow" {
			continue
		}
		for _, deny := range c.d.policy.statements {
			if deny.effect == "Deny" && deny.shadows(s) {
				name := deny.node.path
				if deny.sid != "" {
					name = deny.sid
				}
				c.report(shadowed, s.node, "the Deny "+name+" covers all that the statement allows", "remove the statement, or narrow the Deny")
				break
			}
		}
	}
}

// shadows reports whether a Deny matches every request that an Allow does. It says no whenever that is not plain to see.
func (s *statement) shadows(allow *statement) bool {
	if len(s.notPrincipals)+len(s.notActions)+len(s.notResources)+len(allow.notPrincipals)+len(allow.notActions)+len(allow.notResources) > 0 {
		return false
	}
	within := func(wide, narrow []*node, fold func(string) string) bool {
		return !slices.ContainsFunc(narrow, func(n *node) bool {
			return !slices.ContainsFunc(wide, func(w *node) bool { return covers(fold(w.text), fold(n.text)) })
		})
	}
	plain := func(text string) string { return text }
	return len(allow.actions) > 0 && within(s.actions, allow.actions, strings.ToLower) && within(s.resources, allow.resources, plain) &&
		s.concerns(allow) && s.holdsWhen(allow)
}

// concerns reports whether the statement is about all principals of another one.
func (s *statement) concerns(other *statement) bool {
	if s.everyone() != nil {
		return true
	}
	return !slices.ContainsFunc(other.principals, func(p principal) bool {
		return !slices.ContainsFunc(s.principals, func(q principal) bool { return q.kind == p.kind && q.id.text == p.id.text })
	})
}

// holdsWhen reports whether every condition of the statement is also one of the other.
func (s *statement) holdsWhen(other *statement) bool {
	texts := func(list []*node) (texts []string) {
		for _, n := range list {
			texts = append(texts, n.text)
		}
		return texts
	}
	return !slices.ContainsFunc(s.clauses, func(cl clause) bool {
		return !slices.ContainsFunc(other.clauses, func(o clause) bool {
			return o.operator == cl.operator && o.is(cl.key.text) && slices.Equal(texts(o.values), texts(cl.values))
		})
	})
}
