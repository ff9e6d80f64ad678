package danger

import (
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/access/lint/document"
)

// checkWhole checks the statements of a policy together.
func (c *checker) checkWhole() {
	switch c.d.Kind {
	case access.KindKey:
		c.checkKeyAdmin()
		c.checkReaders()
	case access.KindBucket, access.KindAccessPoint:
		c.checkReaders()
	case access.KindIdentity, access.KindTrust, access.KindQueue, access.KindSession, access.KindLifecycle, access.KindServiceControl, access.KindResourceControl:
	}
	c.checkShadows()
}

func (c *checker) checkKeyAdmin() {
	if id := c.d.Root.Find("Id"); id != nil && strings.HasPrefix(id.Text, "auto-") {
		c.report(managedByAWS, id, "this is the policy of an AWS managed key: it cannot be changed, and no other account can use the key",
			"encrypt shared objects with a customer managed key")
		return
	}
	if !c.d.Addition() && !c.d.Policy.Allows("kms:PutKeyPolicy") {
		c.report(keyWithoutAdmin, c.d.Root.Find("Statement"), "no statement allows kms:PutKeyPolicy: no principal could change this policy",
			`add the statement {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::ACCOUNT:root"}, "Action": "kms:*", "Resource": "*"} `+
				"with the account of the key, or add these statements to those of the existing key policy")
	}
}

// checkShadows reports an Allow statement that has no effect because a Deny statement covers
// everything that it allows.
func (c *checker) checkShadows() {
	for _, s := range c.d.Policy.Statements {
		if s.Effect != "Allow" {
			continue
		}
		for _, deny := range c.d.Policy.Statements {
			if deny.Effect == "Deny" && shadows(deny, s) {
				name := deny.Node.Path
				if deny.Sid != "" {
					name = deny.Sid
				}
				c.report(shadowed, s.Node, "the Deny "+name+" covers everything that the statement allows", "remove the statement, or narrow the Deny")
				break
			}
		}
	}
}

// shadows reports whether the Deny statement s matches every request that the Allow statement
// matches. It returns false if this cannot be determined.
func shadows(s, allow *document.Statement) bool {
	if len(s.NotPrincipals)+len(s.NotActions)+len(s.NotResources)+len(allow.NotPrincipals)+len(allow.NotActions)+len(allow.NotResources) > 0 {
		return false
	}
	within := func(wide, narrow []*document.Node, fold func(string) string) bool {
		return !slices.ContainsFunc(narrow, func(n *document.Node) bool {
			return !slices.ContainsFunc(wide, func(w *document.Node) bool { return document.Covers(fold(w.Text), fold(n.Text)) })
		})
	}
	plain := func(text string) string { return text }
	return len(allow.Actions) > 0 && within(s.Actions, allow.Actions, strings.ToLower) && within(s.Resources, allow.Resources, plain) &&
		concerns(s, allow) && holdsWhen(s, allow)
}

// concerns reports whether s applies to all principals that other names.
func concerns(s, other *document.Statement) bool {
	if s.Everyone() != nil {
		return true
	}
	return !slices.ContainsFunc(other.Principals, func(p document.Principal) bool {
		return !slices.ContainsFunc(s.Principals, func(q document.Principal) bool { return q.Kind == p.Kind && q.ID.Text == p.ID.Text })
	})
}

// holdsWhen reports whether other has every condition of s, with the same values.
func holdsWhen(s, other *document.Statement) bool {
	texts := func(list []*document.Node) (texts []string) {
		for _, n := range list {
			texts = append(texts, n.Text)
		}
		return texts
	}
	return !slices.ContainsFunc(s.Clauses, func(cl document.Clause) bool {
		return !slices.ContainsFunc(other.Clauses, func(o document.Clause) bool {
			return o.Operator == cl.Operator && o.Is(cl.Key.Text) && slices.Equal(texts(o.Values), texts(cl.Values))
		})
	})
}
