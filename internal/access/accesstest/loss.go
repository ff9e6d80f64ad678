package accesstest

import (
	"fmt"
	"slices"

	"syncd/internal/iam"
)

// Loss is a policy from which one member of a list was removed.
type Loss struct {
	What   string
	Policy *iam.Document
}

// Losses returns every variant of the policy in which an Allow statement lacks one member of a
// list: an action, a resource, a principal, or a value of a condition.
func Losses(policy *iam.Document) (all []Loss) {
	if policy == nil {
		return nil
	}
	lose := func(i int, what, member string, change func(*iam.Statement)) {
		statements := slices.Clone(policy.Statements)
		change(&statements[i])
		if empty(statements[i], policy.Statements[i]) {
			statements = slices.Delete(statements, i, i+1)
		}
		all = append(all, Loss{fmt.Sprintf("%s %s of %s", what, member, policy.Statements[i].SID), &iam.Document{Version: policy.Version, Statements: statements}})
	}
	for i, s := range policy.Statements {
		if s.Effect == iam.Deny || s.SID == "TagSessionUnseen" { // see TestInheritedTagsShownOrHidden
			continue
		}
		for _, a := range s.Actions {
			lose(i, "action", a, func(s *iam.Statement) { s.Actions = Dropping(s.Actions, a) })
		}
		for _, r := range s.Resources {
			lose(i, "resource", r, func(s *iam.Statement) { s.Resources = Dropping(s.Resources, r) })
		}
		for _, p := range s.Principals {
			lose(i, "principal", p.ID, func(s *iam.Statement) { s.Principals = Dropping(s.Principals, p) })
		}
		for j, c := range s.Conditions {
			for _, v := range c.Values {
				lose(i, "value of "+c.Key, v, func(s *iam.Statement) {
					s.Conditions = slices.Clone(s.Conditions)
					// The value "nothing", which no request has, replaces an empty list.
					s.Conditions[j].Values = append(Dropping(c.Values, v), "nothing")
				})
			}
		}
	}
	return all
}

// empty reports whether s has an empty list that is not empty in before.
func empty(s, before iam.Statement) bool {
	return len(s.Actions) == 0 || len(s.Resources) == 0 && len(before.Resources) > 0 || len(s.Principals) == 0 && len(before.Principals) > 0
}

// Dropping returns a copy of the list without the given member.
func Dropping[T comparable](list []T, member T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(m T) bool { return m == member })
}
