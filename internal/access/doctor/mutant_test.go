package doctor_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"syncd/internal/access/accesstest"
	"syncd/internal/access/doctor"
	"syncd/internal/access/policy"
	"syncd/internal/iam"
)

// mutants selects how many of the broken documents to test: a sample, or all.
var mutants = flag.String("mutants", "some", "which broken documents to test: some, all")

// mutations returns the variants of the policy that lack one member of a list or one statement, or
// have one changed character in an ARN or in a value of a condition.
func mutations(policy *iam.Document) (all []accesstest.Loss) {
	all = accesstest.Losses(policy)
	if policy == nil {
		return nil
	}
	for i, s := range policy.Statements {
		all = append(all, accesstest.Loss{What: "statement " + s.SID, Policy: &iam.Document{Version: policy.Version, Statements: slices.Delete(slices.Clone(policy.Statements), i, i+1)}})
		change := func(what string, edit func(*iam.Statement)) {
			statements := slices.Clone(policy.Statements)
			edit(&statements[i])
			all = append(all, accesstest.Loss{What: "one character of " + what + " of " + s.SID, Policy: &iam.Document{Version: policy.Version, Statements: statements}})
		}
		for j, r := range s.Resources {
			if r == "*" {
				continue
			}
			change("resource "+r, func(s *iam.Statement) { s.Resources = replaced(s.Resources, j, misspelt(r)) })
		}
		for j, p := range s.Principals {
			if p.Kind == iam.AWSPrincipal {
				change("principal "+p.ID, func(s *iam.Statement) {
					s.Principals = replaced(s.Principals, j, iam.Principal{Kind: p.Kind, ID: misspelt(p.ID)})
				})
			}
		}
		for j, c := range s.Conditions {
			for v, value := range c.Values {
				change("value of "+c.Key+" "+value, func(s *iam.Statement) {
					s.Conditions = slices.Clone(s.Conditions)
					s.Conditions[j].Values = replaced(c.Values, v, misspelt(value))
				})
			}
		}
	}
	return all
}

func replaced[T any](list []T, i int, with T) []T {
	list = slices.Clone(list)
	list[i] = with
	return list
}

// misspelt changes the last letter or digit of s. In the ARN of an account's root, it changes the
// last digit of the account.
func misspelt(s string) string {
	b := []byte(s)
	last := strings.LastIndexFunc(strings.TrimSuffix(s, ":root"), func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	})
	if b[last] == 'x' || b[last] == '9' {
		b[last]--
	} else {
		b[last]++
	}
	return string(b)
}

// blames reports whether a cause names the document.
func blames(c doctor.Cause, d policy.Document) bool {
	return c.Kind == doctor.CauseKind(d.Kind) && c.Side == d.Side && c.Account == d.Account && (c.Target == d.Target || d.Target == "")
}

// tally counts the doctor's results for mutants.
type tally struct{ harmless, broken, named, first, cured int }

// TestDoctorNamesTheMutant checks that the doctor names the changed document and its side if a
// change breaks a mapping, and that the suggested statements fix the mapping. It starts with
// working documents. In each run it removes one member or one statement, or misspells one ARN or
// value of a condition. The accounts belong to no common organization, so AWS gives no reasons.
func TestDoctorNamesTheMutant(t *testing.T) {
	if testing.Short() {
		t.Skip("too slow under the race detector; make test runs it")
	}
	var sum tally
	for _, w := range accesstest.Ways() {
		t.Run(w.Example, func(t *testing.T) {
			x := doctored(t, w)
			x.Cloud.Account(accesstest.Owner).SetOrg("")
			if d := x.diagnose(t); !d.Healthy() {
				t.Fatalf("before any change: got %+v", bad(d))
			}
			n := 0
			for i, d := range x.Documents {
				for _, l := range mutations(d.Policy()) {
					if n++; *mutants != "all" && n%17 != 0 {
						continue
					}
					documents := slices.Clone(x.Documents)
					documents[i].Body = l.Policy
					x.try(t, documents, i, l, &sum)
				}
			}
		})
	}
	share := func(n int) float64 { return 100 * float64(n) / float64(sum.broken) }
	t.Logf("%d mutants are harmless; %d break a mapping: document and side named in %.1f %%, first in %.1f %%, fixed by the statement in %.1f %%",
		sum.harmless, sum.broken, share(sum.named), share(sum.first), share(sum.cured))
	if sum.broken < 40 || sum.named < sum.broken || share(sum.first) < 85 || share(sum.cured) < 95 {
		t.Errorf("got %+v, want all named, 85 %% of them first, and 95 %% fixed", sum)
	}
}

func (x *doctorWorld) try(t *testing.T, documents []policy.Document, i int, l accesstest.Loss, sum *tally) {
	t.Helper()
	x.Enforce(t, documents)
	failure := accesstest.FirstFailure(t.Context(), x.Steps(t))
	name := fmt.Sprintf("%s without %s", documents[i].Name, l.What)
	d := x.diagnose(t)
	if failure == nil {
		sum.harmless++
		if !d.Healthy() {
			t.Errorf("%s: the mapping works; got %s", name, summary(d))
		}
		return
	}
	sum.broken++
	named, first := false, false
	for _, p := range bad(d) {
		for j, c := range p.Causes {
			named = named || blames(c, documents[i])
			first = first || j == 0 && blames(c, documents[i])
		}
	}
	if !named {
		t.Errorf("%s: got %s; the failure was %v", name, summary(d), failure)
		return
	}
	sum.named++
	if first {
		sum.first++
	}
	if x.cure(t, documents, i, d) {
		sum.cured++
	} else {
		t.Logf("%s: not fixed; the doctor reports %s", name, summary(d))
	}
}

// cure adds the suggested statements to documents[i] until the doctor suggests no more. It takes
// several rounds if one denial hides another.
func (x *doctorWorld) cure(t *testing.T, documents []policy.Document, i int, d doctor.Diagnosis) bool {
	t.Helper()
	for range 6 {
		policy := *documents[i].Policy()
		policy.Statements = slices.Clone(policy.Statements)
		for _, p := range bad(d) {
			for _, c := range p.Causes {
				if !blames(c, documents[i]) || len(c.Statement) == 0 {
					continue
				}
				text := strings.ReplaceAll(string(c.Statement), "THE-EXTERNAL-ID", "the-external-id")
				added := iam.MustParse(`{"Version":"2012-10-17","Statement":` + text + `}`)
				policy.Statements = append(policy.Statements, added.Statements...)
			}
		}
		documents = slices.Clone(documents)
		documents[i].Body = &policy
		x.Enforce(t, documents)
		if accesstest.FirstFailure(t.Context(), x.Steps(t)) == nil {
			return true
		}
		d = x.diagnose(t)
	}
	return false
}

func summary(d doctor.Diagnosis) string {
	var b strings.Builder
	for _, p := range bad(d) {
		fmt.Fprintf(&b, "\n  %s %s %s by %s: %s", p.Outcome, p.Action, p.Resource, p.Request, p.Error)
		for _, c := range p.Causes {
			fmt.Fprintf(&b, "\n    %s %s %s %s", c.Kind, c.Side, c.Account, c.Target)
		}
	}
	return b.String()
}
