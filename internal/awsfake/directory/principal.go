package directory

import (
	"slices"

	"syncd/internal/arn"
	"syncd/internal/iam"
)

// UnknownPrincipal returns the first AWS principal that a policy names and that does not exist, or
// "" if all exist. AWS rejects a policy with an unknown principal. The Go API accepts such a
// policy, so that a test can create resources in any order.
func (d *Directory) UnknownPrincipal(p *iam.Document) string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.UnknownIn(p)
}

// UnknownIn is like [Directory.UnknownPrincipal] for a caller that holds the lock.
func (d *Directory) UnknownIn(p *iam.Document) string {
	for _, s := range p.Statements {
		for _, named := range slices.Concat(s.Principals, s.NotPrincipals) {
			if named.Kind == iam.AWSPrincipal && !d.exists(named.ID) {
				return named.ID
			}
		}
	}
	return ""
}

// exists reports whether an AWS principal is everyone or an existing account, role, role session or
// user. The caller must hold the lock.
func (d *Directory) exists(id string) bool {
	a, _ := arn.Split(id)
	role, isSession := arn.RoleOf(id)
	switch {
	case id == "*" || d.accounts[id] != nil || d.Roles[id] != nil || d.Users[id] != nil:
		return true
	case d.accounts[a.Account] == nil:
		return false
	case isSession:
		for _, r := range d.Roles {
			if r.Account.id == a.Account && r.Name == arn.Name(role) {
				return true
			}
		}
		return false
	}
	return a.Resource == "root"
}
