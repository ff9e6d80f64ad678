package access

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"syncd/internal/iam"
)

// anyone is the principal of a statement about everyone.
const anyone = "*"

// grant is a statement on its way into a document.
type grant struct {
	sid                string
	deny               bool
	principals         []string // ARNs, or anyone; none in an identity policy
	actions, resources []string
	conditions         []condition
}

// minimal returns the statements that say the same as the grants in the fewest: those that differ in one list only become
// one, which widens nothing, and those that another one covers are left out.
func minimal(grants []grant) []iam.Statement {
	list := make([]grant, len(grants))
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

// normal brings the lists of a grant into an order, so that equal ones look equal.
func (g grant) normal() grant {
	g.principals, g.actions, g.resources = sorted(g.principals), sorted(g.actions), sorted(g.resources)
	g.conditions = slices.Clone(g.conditions)
	for i, c := range g.conditions {
		g.conditions[i].values = sorted(c.values)
	}
	slices.SortFunc(g.conditions, func(a, b condition) int {
		return cmp.Or(strings.Compare(a.operator, b.operator), strings.Compare(a.key, b.key))
	})
	return g
}

func sorted(list []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(list)))
}

// fixedLists is how many lists every grant has; the values of its conditions follow.
const fixedLists = 3

func mostLists(list []grant) int {
	most := 0
	for _, g := range list {
		most = max(most, len(g.conditions))
	}
	return fixedLists + most
}

// list returns one of the lists whose members are alternatives, nil where there is none. The values of a negated condition are
// none, because all of them have to be missed; nor are those of ForAllValues, which holds for any mixture of them.
func (g *grant) list(d int) *[]string {
	switch {
	case d < fixedLists:
		return []*[]string{&g.principals, &g.resources, &g.actions}[d]
	case d-fixedLists >= len(g.conditions):
		return nil
	}
	c := &g.conditions[d-fixedLists]
	if strings.Contains(c.operator, "Not") || strings.HasPrefix(c.operator, "ForAllValues:") || c.operator == "Null" {
		return nil
	}
	return &c.values
}

// mergeBy makes one of all grants that differ in one list only, at the place of the first.
func mergeBy(list []grant, d int) []grant {
	first := map[string]int{}
	var merged []grant
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
		merged[i].sid = commonName(merged[i].sid, g.sid)
		theirs := merged[i].list(d)
		*theirs = sorted(append(slices.Clone(*theirs), mine...))
	}
	return merged
}

// commonName names what two statements have become, by the words that both names begin with: of ListSource and
// ListDestination it is List.
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

// signature is everything about a grant but one of its lists.
func (g grant) signature(without int) string {
	g.conditions = slices.Clone(g.conditions)
	*g.list(without) = nil
	return fmt.Sprintf("%t %q %q %q %q", g.deny, g.principals, g.actions, g.resources, g.conditions)
}

// uncovered leaves out grants, and members of their lists, that others cover.
func uncovered(list []grant) []grant {
	for i := range list {
		list[i].resources = withoutCovered(list[i].resources)
		for j, c := range list[i].conditions {
			if c.operator == "StringLike" {
				list[i].conditions[j].values = withoutCovered(c.values)
			}
		}
	}
	var kept []grant
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

// withoutCovered leaves out every pattern that another one covers.
func withoutCovered(patterns []string) []string {
	return slices.DeleteFunc(slices.Clone(patterns), func(p string) bool {
		return slices.ContainsFunc(patterns, func(q string) bool { return q != p && patternCovers(q, p) })
	})
}

// patternCovers knows the patterns of this package, whose only wildcard stands at the end.
func patternCovers(wide, narrow string) bool {
	stem, open := strings.CutSuffix(wide, "*")
	return wide == narrow || open && strings.HasPrefix(narrow, stem)
}

// covers reports whether everything that o says, g says too.
func (g grant) covers(o grant) bool {
	within := func(wide, narrow []string, covers func(w, n string) bool) bool {
		return !slices.ContainsFunc(narrow, func(n string) bool {
			return !slices.ContainsFunc(wide, func(w string) bool { return covers(w, n) })
		})
	}
	same := func(w, n string) bool { return w == n }
	if g.deny != o.deny || !within(g.principals, o.principals, same) || !within(g.actions, o.actions, same) ||
		!within(g.resources, o.resources, patternCovers) {
		return false
	}
	return !slices.ContainsFunc(g.conditions, func(wide condition) bool {
		return !slices.ContainsFunc(o.conditions, func(narrow condition) bool {
			if wide.operator != narrow.operator || wide.key != narrow.key {
				return false
			}
			if wide.operator == "StringLike" {
				return within(wide.values, narrow.values, patternCovers)
			}
			return slices.Equal(wide.values, narrow.values)
		})
	})
}

// nameApart gives every statement a name of its own: S3 and IAM refuse a document that uses one twice.
func nameApart(list []grant) {
	used := map[string]int{}
	for i, g := range list {
		used[g.sid]++
		if n := used[g.sid]; n > 1 {
			list[i].sid = fmt.Sprintf("%s%d", g.sid, n)
		}
	}
}

func (g grant) statement() iam.Statement {
	s := iam.Statement{SID: g.sid, Effect: iam.Allow, Actions: g.actions, Resources: g.resources}
	if g.deny {
		s.Effect = iam.Deny
	}
	for _, p := range g.principals {
		if p == anyone {
			s.Principals = append(s.Principals, iam.Principal{Kind: iam.AnyPrincipal})
			continue
		}
		s.Principals = append(s.Principals, iam.Principal{Kind: iam.AWSPrincipal, ID: p})
	}
	for _, c := range g.conditions {
		s.Conditions = append(s.Conditions, iam.Condition{Operator: c.operator, Key: c.key, Values: c.values})
	}
	return s
}

// when makes a condition.
func when(operator, key string, values ...string) condition {
	return condition{operator, key, values}
}

// condition narrows a grant of the need: in every document, or only in those of the resource.
type condition struct {
	operator, key string
	values        []string
}

// without drops from grants the conditions whose key begins so, of one action or, with "", of all.
func without(grants []grant, action, key string) []grant {
	list := slices.Clone(grants)
	for i, g := range list {
		if action == "" || slices.Contains(g.actions, action) {
			list[i].conditions = slices.DeleteFunc(slices.Clone(g.conditions), func(c condition) bool { return strings.HasPrefix(c.key, key) })
		}
	}
	return list
}
