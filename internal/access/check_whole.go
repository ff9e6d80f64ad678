package access

import (
	"slices"
	"strings"
)

// checkWhole judges what the statements of a policy say together.
func (c *dangerChecker) checkWhole() {
	switch c.d.kind {
	case KindKey:
		c.checkKeyAdmin()
		c.checkReaders()
	case KindBucket, KindAccessPoint:
		c.checkReaders()
	case KindIdentity, KindTrust, KindQueue, KindSession, KindLifecycle, KindServiceControl, KindResourceControl:
	}
	c.checkShadows()
}

func (c *dangerChecker) checkKeyAdmin() {
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

// checkShadows finds statements that allow nothing because another one denies all of it.
func (c *dangerChecker) checkShadows() {
	for _, s := range c.d.policy.statements {
		if s.effect != "Allow" {
			continue
		}
		for _, deny := range c.d.policy.statements {
			if deny.effect == "Deny" && shadows(deny, s) {
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
func shadows(s, allow *statement) bool {
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
		concerns(s, allow) && holdsWhen(s, allow)
}

// concerns reports whether the statement is about all principals of another one.
func concerns(s, other *statement) bool {
	if s.everyone() != nil {
		return true
	}
	return !slices.ContainsFunc(other.principals, func(p principal) bool {
		return !slices.ContainsFunc(s.principals, func(q principal) bool { return q.kind == p.kind && q.id.text == p.id.text })
	})
}

// holdsWhen reports whether every condition of the statement is also one of the other.
func holdsWhen(s, other *statement) bool {
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
