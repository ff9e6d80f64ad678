package policy

import (
	"fmt"
	"maps"
	"slices"

	"syncd/internal/access"
	"syncd/internal/arn"
)

// crosses reports whether the resource belongs to a different account than the principal.
func (w *writer) crosses(n access.Need) bool { return n.Account != n.Owner }

func rootOf(n access.Need) string {
	of, _ := arn.Split(n.Resource)
	return arn.Root(of.Partition, n.Account)
}

// principalOf returns the ARN that the policy of the need's resource names as principal: the ARN of
// the role or user itself, or of the root of its account. Even in the styles that name the account,
// trust policies name the role or user if it is known.
func (w *writer) principalOf(n access.Need) string {
	delegates := w.o.Style != RoleStyle && n.On != access.AssumedRole && w.crosses(n) && slices.Contains(w.owners, n.Owner)
	if n.Principal == "" || delegates {
		return rootOf(n)
	}
	return n.Principal
}

// crossAccount returns the conditions that the policy of the need's resource sets on a principal of
// another account: on its organization and, in style abac, on its session tags. It returns an error
// if the style is abac but the sessions of the role have no tags.
func (w *writer) crossAccount(n access.Need) (conditions []access.Condition, err error) {
	if !w.crosses(n) {
		return nil, nil
	}
	if w.o.OrgID != "" {
		conditions = append(conditions, access.When("StringEquals", "aws:PrincipalOrgID", w.o.OrgID))
	}
	if w.o.Style != ABACStyle || n.On != access.AssumedRole && !slices.Contains(w.owners, n.Owner) {
		return conditions, nil
	}
	tags := access.SessionTags(w.c, n.Role)
	if len(tags) == 0 && n.On != access.AssumedRole {
		return nil, fmt.Errorf("grant %s to role %q: style abac checks session tags, but the sessions of this role have none", n.Action, n.Role)
	}
	return append(conditions, tagConditions("aws:PrincipalTag/", tags)...), nil
}

func tagConditions(prefix string, tags map[string]string) (conditions []access.Condition) {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		conditions = append(conditions, access.When("StringEquals", prefix+key, tags[key]))
	}
	return conditions
}

// noteNamed adds a note about the effects of naming this principal in the document.
func (d *draft) noteNamed(n access.Need, principal string) {
	switch a, _ := arn.Split(principal); {
	case !a.IsRoot():
		d.note("Create " + principal + " first: AWS rejects a policy that names a principal that does not exist, and a principal recreated with the same name is a different principal.")
	case n.Principal == "":
		d.note("This policy names all of account " + n.Account + ": the identity policies of that account decide which of its principals are allowed. To allow only one principal, name the principal of the ambient credentials.")
	}
}
