package directory

import (
	"cmp"
	"fmt"
	"slices"

	"syncd/internal/iam"
)

// Identity is what a user and a role have in common: what they may do. Guarded by the directory.
type Identity struct {
	Inline      []InlinePolicy   // sorted by name
	Attached    []*ManagedPolicy // in the order in which they were attached
	Boundary    *iam.Document
	BoundaryARN string // of the policy that is the boundary; "" when the owner's hand set it
	policies    []*iam.Document
}

// InlinePolicy is a policy that belongs to one user or role.
type InlinePolicy struct {
	Name     string
	Document *iam.Document
}

// replacePolicies replaces all policies by these, each inline.
func (i *Identity) replacePolicies(policies []*iam.Document) {
	i.Inline, i.Attached = nil, nil
	for n, d := range policies {
		i.Inline = append(i.Inline, InlinePolicy{fmt.Sprintf("policy-%02d", n+1), d})
	}
	i.Gather()
}

// Gather makes the list of policies that requests are judged by. It is a new list each time: a
// request may hold the former one.
func (i *Identity) Gather() {
	i.policies = nil
	for _, p := range i.Inline {
		i.policies = append(i.policies, p.Document)
	}
	for _, m := range i.Attached {
		i.policies = append(i.policies, m.Document())
	}
}

// Find is where the inline policy of that name stands, -1 for nowhere.
func (i *Identity) Find(name string) int {
	return slices.IndexFunc(i.Inline, func(p InlinePolicy) bool { return p.Name == name })
}

// Put adds an inline policy, or replaces the one of that name.
func (i *Identity) Put(name string, d *iam.Document) {
	i.Inline = slices.DeleteFunc(slices.Clone(i.Inline), func(p InlinePolicy) bool { return p.Name == name })
	i.Inline = append(i.Inline, InlinePolicy{name, d})
	slices.SortFunc(i.Inline, func(a, b InlinePolicy) int { return cmp.Compare(a.Name, b.Name) })
	i.Gather()
}
