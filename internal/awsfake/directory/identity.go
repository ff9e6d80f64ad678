package directory

import (
	"cmp"
	"fmt"
	"slices"

	"syncd/internal/iam"
)

// Identity contains what users and roles have in common: the policies that define what they may do.
// Guarded by the directory.
type Identity struct {
	Inline      []InlinePolicy   // sorted by name
	Attached    []*ManagedPolicy // in attachment order
	Boundary    *iam.Document
	BoundaryARN string // ARN of the boundary policy; "" if the Go API set the boundary
	policies    []*iam.Document
}

// InlinePolicy is a policy that belongs to one user or role.
type InlinePolicy struct {
	Name     string
	Document *iam.Document
}

// replacePolicies replaces all policies with inline policies.
func (i *Identity) replacePolicies(policies []*iam.Document) {
	i.Inline, i.Attached = nil, nil
	for n, d := range policies {
		i.Inline = append(i.Inline, InlinePolicy{fmt.Sprintf("policy-%02d", n+1), d})
	}
	i.Gather()
}

// Gather rebuilds the list of policies that apply to requests. It makes a new list each time,
// because a request may still use the old one.
func (i *Identity) Gather() {
	i.policies = nil
	for _, p := range i.Inline {
		i.policies = append(i.policies, p.Document)
	}
	for _, m := range i.Attached {
		i.policies = append(i.policies, m.Document())
	}
}

// Find returns the index of the inline policy with that name, or -1.
func (i *Identity) Find(name string) int {
	return slices.IndexFunc(i.Inline, func(p InlinePolicy) bool { return p.Name == name })
}

// Put adds an inline policy, or replaces the inline policy with the same name.
func (i *Identity) Put(name string, d *iam.Document) {
	i.Inline = slices.DeleteFunc(slices.Clone(i.Inline), func(p InlinePolicy) bool { return p.Name == name })
	i.Inline = append(i.Inline, InlinePolicy{name, d})
	slices.SortFunc(i.Inline, func(a, b InlinePolicy) int { return cmp.Compare(a.Name, b.Name) })
	i.Gather()
}
