package awsfake

import (
	"slices"
	"strings"

	"syncd/internal/iam"
)

// Delete deletes the role. Its sessions may do no more than anybody; and a policy that names the role
// was about this very role: from now on it shows the role's id (AROA...) and means nobody, even when
// another role of that name is created ("AWS JSON policy elements: Principal", IAM User Guide).
func (r *Role) Delete() {
	r.account.cloud.mu.Lock()
	defer r.account.cloud.mu.Unlock()
	r.remove()
}

// remove is Delete for a caller that holds Cloud.mu.
func (r *Role) remove() {
	c := r.account.cloud
	if c.roles[r.ARN] == r {
		delete(c.roles, r.ARN)
	}
	r.deleted, r.trust, r.identity = true, nil, identity{}
	c.renamePrincipal(r.ARN, r.id)
}

// renamePrincipal puts the id of a deleted role or user into the policies that name it. The caller holds mu.
func (c *Cloud) renamePrincipal(arn, id string) {
	for _, b := range c.buckets {
		b.mu.Lock()
		b.policy = renamed(b.policy, arn, id)
		b.mu.Unlock()
	}
	for _, k := range c.keys {
		k.policy = renamed(k.policy, arn, id)
	}
	for _, role := range c.roles {
		role.trust = renamed(role.trust, arn, id)
	}
}

// renamed is the policy with another id in the place of a principal's; a policy without it is returned
// as it is, and none is changed: others may hold it.
func renamed(d *iam.Document, from, to string) *iam.Document {
	names := func(p iam.Principal) bool { return p.Kind == iam.AWSPrincipal && p.ID == from }
	if d == nil || !slices.ContainsFunc(d.Statements, func(s iam.Statement) bool {
		return slices.ContainsFunc(s.Principals, names) || slices.ContainsFunc(s.NotPrincipals, names)
	}) {
		return d
	}
	out := *d
	out.Statements = slices.Clone(d.Statements)
	for i := range out.Statements {
		s := &out.Statements[i]
		s.Principals, s.NotPrincipals = slices.Clone(s.Principals), slices.Clone(s.NotPrincipals)
		for _, list := range [][]iam.Principal{s.Principals, s.NotPrincipals} {
			for j := range list {
				if names(list[j]) {
					list[j].ID = to
				}
			}
		}
	}
	return &out
}

// stranger is the first AWS principal of a policy that does not exist, "" when all do. AWS refuses to
// store such a policy; the owner's hand may, so that a world can be arranged in any order.
func (c *Cloud) stranger(d *iam.Document) string {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.strangerIn(d)
}

// strangerIn is stranger for a caller that holds mu.
func (c *Cloud) strangerIn(d *iam.Document) string {
	for _, s := range d.Statements {
		for _, p := range slices.Concat(s.Principals, s.NotPrincipals) {
			if p.Kind == iam.AWSPrincipal && !c.exists(p.ID) {
				return p.ID
			}
		}
	}
	return ""
}

// exists reports whether an AWS principal is everyone, an account, a role, a session of one, or a user.
// The caller holds mu.
func (c *Cloud) exists(id string) bool {
	parts := strings.SplitN(id, ":", 6)
	switch {
	case id == "*" || c.accounts[id] != nil || c.roles[id] != nil || c.users[id] != nil:
		return true
	case len(parts) < 6 || c.accounts[parts[4]] == nil:
		return false
	case parts[2] == "sts":
		name, _, _ := strings.Cut(strings.TrimPrefix(parts[5], "assumed-role/"), "/")
		for _, r := range c.roles {
			if r.account.id == parts[4] && r.Name == name {
				return true
			}
		}
		return false
	}
	return parts[5] == "root"
}
