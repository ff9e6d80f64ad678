package awsfake

import (
	"cmp"
	"fmt"
	"slices"

	"syncd/internal/iam"
)

// identity is what a user and a role have in common: what they may do. Guarded by the directory.
type identity struct {
	inline      []inlinePolicy // sorted by name
	attached    []*managed     // in the order in which they were attached
	boundary    *iam.Document
	boundaryARN string // of the policy that is the boundary; "" when the owner's hand set it
	policies    []*iam.Document
}

// inlinePolicy is a policy that belongs to one user or role.
type inlinePolicy struct {
	name     string
	document *iam.Document
}

// replacePolicies replaces all policies by these, each inline.
func (i *identity) replacePolicies(policies []*iam.Document) {
	i.inline, i.attached = nil, nil
	for n, d := range policies {
		i.inline = append(i.inline, inlinePolicy{fmt.Sprintf("policy-%02d", n+1), d})
	}
	i.gather()
}

// gather makes the list of policies that requests are judged by. It is a new list each time: a request may hold the former one.
func (i *identity) gather() {
	i.policies = nil
	for _, p := range i.inline {
		i.policies = append(i.policies, p.document)
	}
	for _, m := range i.attached {
		i.policies = append(i.policies, m.document())
	}
}

func (i *identity) find(name string) int {
	return slices.IndexFunc(i.inline, func(p inlinePolicy) bool { return p.name == name })
}

// put adds an inline policy, or replaces the one of that name.
func (i *identity) put(name string, d *iam.Document) {
	i.inline = slices.DeleteFunc(slices.Clone(i.inline), func(p inlinePolicy) bool { return p.name == name })
	i.inline = append(i.inline, inlinePolicy{name, d})
	slices.SortFunc(i.inline, func(a, b inlinePolicy) int { return cmp.Compare(a.name, b.name) })
	i.gather()
}
