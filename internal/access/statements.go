package access

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"syncd/internal/iam"
)

// Anyone is the principal of a statement that applies to everyone.
const Anyone = "*"

// Grant is a statement before it is merged into a document.
type Grant struct {
	SID                string
	Deny               bool
	Principals         []string // ARNs or [Anyone]; empty in an identity policy
	Actions, Resources []string
	Conditions         []Condition
}

// Minimal returns the fewest statements that are equivalent to the grants. It merges grants only if
// they differ in a single list, so that the result allows no more than the grants do, and drops
// grants that another grant covers.
func Minimal(grants []Grant) []iam.Statement {
	list := make([]Grant, len(grants))
	for i, g := range grants {
		list[i] = g.normal()
	}
	for before := -1; before != len(list); {
		before = len(list)
		for d := mostLists(list) - 1; d >= 0; d-- {
			list = mergeBy(list, d)
		}
	}
	list = uncovered(list)
	nameApart(list)
	statements := make([]iam.Statement, len(list))
	for i, g := range list {
		statements[i] = g.statement()
	}
	return statements
}

// normal sorts the lists of a grant, so that equal grants compare equal.
func (g Grant) normal() Grant {
	g.Principals, g.Actions, g.Resources = sorted(g.Principals), sorted(g.Actions), sorted(g.Resources)
	g.Conditions = slices.Clone(g.Conditions)
	for i, c := range g.Conditions {
		g.Conditions[i].Values = sorted(c.Values)
	}
	slices.SortFunc(g.Conditions, func(a, b Condition) int {
		return cmp.Or(strings.Compare(a.operator, b.operator), strings.Compare(a.Key, b.Key))
	})
	return g
}

func sorted(list []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// fixedLists is the number of lists that every grant has. List fixedLists+i contains the values of
// condition i.
const fixedLists = 3

func mostLists(list []Grant) int {
	most := 0
	for _, g := range list {
		most = max(most, len(g.Conditions))
	}
	return fixedLists + most
}

// list returns list number d of the grant if its members are alternatives, otherwise nil. The
// values of a negated condition are not alternatives, because a request must match none of them.
// The values of ForAllValues are not alternatives either, because a request can have any
// combination of them.
func (g *Grant) list(d int) *[]string {
	switch {
	case d < fixedLists:
		return []*[]string{&g.Principals, &g.Resources, &g.Actions}[d]
	case d-fixedLists >= len(g.Conditions):
		return nil
	}
	c := &g.Conditions[d-fixedLists]
	if strings.Contains(c.operator, "Not") || strings.HasPrefix(c.operator, "ForAllValues:") || c.operator == "Null" {
		return nil
	}
	return &c.Values
}

// mergeBy merges all grants that differ only in list number d. The merged grant has the position of
// the first of them.
func mergeBy(list []Grant, d int) []Grant {
	first := map[string]int{}
	var merged []Grant
	for _, g := range list {
		alternatives := g.list(d)
		if alternatives == nil {
			merged = append(merged, g)
			continue
		}
		mine := *alternatives
		signature := g.signature(d)
		i, known := first[signature]
		if !known {
			first[signature] = len(merged)
			merged = append(merged, g)
			continue
		}
		merged[i].SID = commonName(merged[i].SID, g.SID)
		theirs := merged[i].list(d)
		*theirs = sorted(append(slices.Clone(*theirs), mine...))
	}
	return merged
}

// commonName returns the Sid of a merged statement: the words that both Sids begin with. For
// ListSource and ListDestination it returns List. If a and b do not begin with the same word, it
// returns a.
func commonName(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	isWord := func(name string) bool { return n == len(name) || name[n] >= 'A' && name[n] <= 'Z' }
	for n > 0 && (!isWord(a) || !isWord(b)) {
		n--
	}
	if n == 0 {
		return a
	}
	return strings.TrimSuffix(a[:n], "Of")
}

// signature returns everything about a grant except one of its lists.
func (g Grant) signature(without int) string {
	g.Conditions = slices.Clone(g.Conditions)
	*g.list(without) = nil
	return fmt.Sprintf("%t %q %q %q %q", g.Deny, g.Principals, g.Actions, g.Resources, g.Conditions)
}

// uncovered removes each grant that another grant covers. It also removes each resource and each
// value of StringLike that another pattern in the same list covers.
func uncovered(list []Grant) []Grant {
	for i := range list {
		list[i].Resources = withoutCovered(list[i].Resources)
		for j, c := range list[i].Conditions {
			if c.operator == "StringLike" {
				list[i].Conditions[j].Values = withoutCovered(c.Values)
			}
		}
	}
	var kept []Grant
	for i, g := range list {
		covered := func(j int) bool { return j != i && list[j].covers(g) && (j < i || !g.covers(list[j])) }
		if !slices.ContainsFunc(indexes(list), covered) {
			kept = append(kept, g)
		}
	}
	return kept
}

func indexes[T any](list []T) []int {
	all := make([]int, len(list))
	for i := range list {
		all[i] = i
	}
	return all
}

// withoutCovered removes every pattern that another one covers.
func withoutCovered(patterns []string) []string {
	return slices.DeleteFunc(slices.Clone(patterns), func(p string) bool {
		return slices.ContainsFunc(patterns, func(q string) bool { return q != p && PatternCovers(q, p) })
	})
}

// PatternCovers reports whether the pattern wide matches everything that the pattern narrow
// matches. It supports only the patterns of this package: the only wildcard is a * at the end.
func PatternCovers(wide, narrow string) bool {
	stem, open := strings.CutSuffix(wide, "*")
	return wide == narrow || open && strings.HasPrefix(narrow, stem)
}

// covers reports whether g and o have the same effect and g matches every request that o matches.
func (g Grant) covers(o Grant) bool {
	within := func(wide, narrow []string, covers func(w, n string) bool) bool {
		return !slices.ContainsFunc(narrow, func(n string) bool {
			return !slices.ContainsFunc(wide, func(w string) bool { return covers(w, n) })
		})
	}
	same := func(w, n string) bool { return w == n }
	if g.Deny != o.Deny || !within(g.Principals, o.Principals, same) || !within(g.Actions, o.Actions, same) ||
		!within(g.Resources, o.Resources, PatternCovers) {
		return false
	}
	return !slices.ContainsFunc(g.Conditions, func(wide Condition) bool {
		return !slices.ContainsFunc(o.Conditions, func(narrow Condition) bool {
			if wide.operator != narrow.operator || wide.Key != narrow.Key {
				return false
			}
			if wide.operator == "StringLike" {
				return within(wide.Values, narrow.Values, PatternCovers)
			}
			return slices.Equal(wide.Values, narrow.Values)
		})
	})
}

// nameApart gives every statement a unique Sid. S3 and IAM reject a document with a duplicate Sid.
func nameApart(list []Grant) {
	used := map[string]int{}
	for i, g := range list {
		used[g.SID]++
		if n := used[g.SID]; n > 1 {
			list[i].SID = fmt.Sprintf("%s%d", g.SID, n)
		}
	}
}

func (g Grant) statement() iam.Statement {
	s := iam.Statement{SID: g.SID, Effect: iam.Allow, Actions: g.Actions, Resources: g.Resources}
	if g.Deny {
		s.Effect = iam.Deny
	}
	for _, p := range g.Principals {
		if p == Anyone {
			s.Principals = append(s.Principals, iam.Principal{Kind: iam.AnyPrincipal})
			continue
		}
		s.Principals = append(s.Principals, iam.Principal{Kind: iam.AWSPrincipal, ID: p})
	}
	for _, c := range g.Conditions {
		s.Conditions = append(s.Conditions, iam.Condition{Operator: c.operator, Key: c.Key, Values: c.Values})
	}
	return s
}

// When returns the condition that the request's key matches one of the values.
func When(operator, key string, values ...string) Condition {
	return Condition{operator, key, values}
}

// Condition restricts a grant.
type Condition struct {
	operator, Key string
	Values        []string
}

// Without returns a copy of the grants without the conditions whose key begins with key. It changes
// only the grants of the action, or all grants if action is "".
func Without(grants []Grant, action, key string) []Grant {
	list := slices.Clone(grants)
	for i, g := range list {
		if action == "" || slices.Contains(g.Actions, action) {
			list[i].Conditions = slices.DeleteFunc(slices.Clone(g.Conditions), func(c Condition) bool { return strings.HasPrefix(c.Key, key) })
		}
	}
	return list
}
