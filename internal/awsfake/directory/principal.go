package directory

import (
	"slices"

	"syncd/internal/arn"
	"syncd/internal/iam"
)

// UnknownPrincipal is the first AWS principal of a policy that does not exist, "" when all do. AWS
// refuses to store such a policy; the owner's hand may, so that a world can be arranged in any
// order.
func (d *Directory) UnknownPrincipal(p *iam.Document) string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.UnknownIn(p)
}

// UnknownIn is unknownPrincipal for a caller that holds the lock.
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

// exists reports whether an AWS principal is everyone, an account, a role, a session of one, or a
// user. The caller holds the lock.
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
