package access_test

import (
	"fmt"
	"slices"
	"testing"

	"syncd/internal/iam"
)

// TestEverythingGrantedIsNeeded puts the documents of each way of sharing in force in accounts where nothing else is
// allowed: everything that syncd does works. Then members of grants are taken away in turn, a share of them or all, and something
// fails.
func TestEverythingGrantedIsNeeded(t *testing.T) {
	if testing.Short() {
		t.Skip("its numbers cost too much under the race detector; make test runs it")
	}
	for _, w := range ways() {
		t.Run(w.example, func(t *testing.T) { takeAway(t, newWorld(t, w, nil)) })
	}
	const more = "    copy: {acl: bucket-owner-full-control, object_lock: copy, annotations: copy}\n    delete: {enabled: true}\n"
	for _, base := range []string{"share-org", "share-role"} {
		t.Run("with locks, annotations and deletes "+base, func(t *testing.T) {
			takeAway(t, newWorld(t, way{example: base}, func(text string) string { return text + more }))
		})
	}
	t.Run("with chosen tags", func(t *testing.T) {
		const chosen = "    copy: {tags: {only: [team, tag0, tag1, tag2, tag3, tag4, tag5, tag6, tag7, tag8, tag9]}}\n"
		takeAway(t, newWorld(t, way{example: "share-role"}, func(text string) string { return text + chosen }))
	})
}

func takeAway(t *testing.T, x *world) {
	t.Helper()
	for _, m := range x.config.Mappings {
		x.source().SetEncryption(x.ownerKey.ARN(), false)
		x.fill(m)
	}
	if err := firstFailure(t.Context(), x.steps(t)); err != nil {
		t.Fatalf("with all documents: got %v, want no failure", err)
	}
	taken := 0
	for i, d := range x.documents {
		for _, l := range losses(d.Policy()) {
			if taken++; *mutants != "all" && taken%5 != 0 {
				continue
			}
			documents := slices.Clone(x.documents)
			documents[i].Body = l.policy
			x.enforce(t, documents)
			if err := firstFailure(t.Context(), x.steps(t)); err == nil {
				t.Errorf("%s without %s: nothing failed", d.Name, l.what)
			}
		}
	}
	if taken < 20 {
		t.Errorf("took away %d members of grants, want the many that there are", taken)
	}
}

// loss is a policy that has lost one member of a grant.
type loss struct {
	what   string
	policy *iam.Document
}

// losses are all the ways for a policy to lose one member of a list of an Allow statement: an action, a resource, a
// principal, or a value of a condition.
func losses(policy *iam.Document) (all []loss) {
	if policy == nil {
		return nil
	}
	lose := func(i int, what, member string, change func(*iam.Statement)) {
		statements := slices.Clone(policy.Statements)
		change(&statements[i])
		s := statements[i]
		if len(s.Actions) == 0 || len(s.Resources) == 0 && len(policy.Statements[i].Resources) > 0 ||
			len(s.Principals) == 0 && len(policy.Statements[i].Principals) > 0 {
			statements = slices.Delete(statements, i, i+1)
		}
		all = append(all, loss{fmt.Sprintf("%s %s of %s", what, member, policy.Statements[i].SID), &iam.Document{Version: policy.Version, Statements: statements}})
	}
	for i, s := range policy.Statements {
		if s.Effect == iam.Deny || s.SID == "TagSessionUnseen" { // see TestInheritedTagsMayShowOrNot
			continue
		}
		for _, a := range s.Actions {
			lose(i, "action", a, func(s *iam.Statement) { s.Actions = dropping(s.Actions, a) })
		}
		for _, r := range s.Resources {
			lose(i, "resource", r, func(s *iam.Statement) { s.Resources = dropping(s.Resources, r) })
		}
		for _, p := range s.Principals {
			lose(i, "principal", p.ID, func(s *iam.Statement) { s.Principals = dropping(s.Principals, p) })
		}
		for j, c := range s.Conditions {
			for _, v := range c.Values {
				lose(i, "value of "+c.Key, v, func(s *iam.Statement) {
					s.Conditions = slices.Clone(s.Conditions)
					// A condition that nothing meets stands for one without values.
					s.Conditions[j].Values = append(dropping(c.Values, v), "nothing")
				})
			}
		}
	}
	return all
}

func dropping[T comparable](list []T, member T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(m T) bool { return m == member })
}
