package directory

import (
	"slices"

	"syncd/internal/iam"
)

// Renamed returns the policy with one principal replaced. If the policy does not name the
// principal, Renamed returns d itself. It never changes d, because other goroutines may be reading
// it.
func Renamed(d *iam.Document, from, to string) *iam.Document {
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
