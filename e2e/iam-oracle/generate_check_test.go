package iamoracle_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"syncd/internal/iam"
)

// enough is the number of scenarios in the tests that do not need Node.js, so that these tests take
// a few seconds.
const enough = 4000

// TestScenarios checks that the generator's scenarios are worth comparing: every feature of the
// policy language is frequent, AWS would store all policies, and all three decisions are common.
func TestScenarios(t *testing.T) {
	if testing.Short() {
		t.Skip("slow under the race detector, and runs on one goroutine")
	}
	seen := map[string]int{}
	for n := range uint64(enough) {
		s := generate(1, n)
		decision, err := s.ours()
		if err != nil {
			t.Fatalf("scenario %d: %v", n, err)
		}
		for _, what := range append(s.features(), decision) {
			seen[what]++
		}
	}
	for decision, fewest := range map[string]int{allow: enough / 3, explicitDeny: enough / 6, implicitDeny: enough / 6} {
		if seen[decision] < fewest {
			t.Errorf("%s: got %d of %d, want at least %d", decision, seen[decision], enough, fewest)
		}
	}
	for _, what := range wantedFeatures() {
		if seen[what] < 3 {
			t.Errorf("%s: got %d of %d scenarios, want at least 3", what, seen[what], enough)
		}
	}
}

// wantedFeatures returns the features that must occur.
func wantedFeatures() []string {
	all := []string{
		"NotAction", "NotResource", "NotPrincipal", "everyone", "variable", "default", "short ARN", "several values", "key in another case",
		"Version 2012-10-17", "Version 2008-10-17", "Version ", "a user", "a session", "a root user", "a service", "nobody",
		"a bucket policy", "a key policy", "a trust policy", "a queue policy", "no policy of the resource", "same account", "across accounts",
		"identity", "boundary", "session policy", "service control", "resource control", "Null", "a key that is missing",
	}
	for _, list := range operators {
		for _, operator := range list {
			for _, set := range []string{"", "ForAllValues:", "ForAnyValue:"} {
				all = append(all, set+operator, set+operator+"IfExists")
			}
		}
	}
	return all
}

// features returns the features of the scenario.
func (s *scenario) features() []string {
	kinds := map[iam.ResourceKind]string{iam.Bucket: "a bucket policy", iam.Key: "a key policy", iam.Trust: "a trust policy", iam.Queue: "a queue policy"}
	has := map[string]bool{
		kinds[s.Kind]: s.Policy != nil, "no policy of the resource": s.Policy == nil, "same account": !s.crossAccount(), "across accounts": s.crossAccount(),
		"identity": s.Identity != nil, "boundary": s.Boundary != nil, "session policy": s.Session != nil,
		"service control": s.ServiceControl != nil, "resource control": s.ResourceControl != nil,
		"a root user": s.Caller.Root, "a service": s.Caller.Service != "", "nobody": s.anonymous(), "a session": s.Caller.RoleARN != "",
		"a user": strings.Contains(s.Caller.ARN, ":user/"),
	}
	for _, d := range s.documents() {
		has["Version "+d.Version] = true
		body := d.String()
		has["variable"] = has["variable"] || d.Version == iam.Version2012 && strings.Contains(body, "${aws:PrincipalTag/team}")
		has["default"] = has["default"] || d.Version == iam.Version2012 && strings.Contains(body, ", '")
		for i := range d.Statements {
			s.featuresOf(&d.Statements[i], has)
		}
	}
	maps.DeleteFunc(has, func(_ string, is bool) bool { return !is })
	return slices.Collect(maps.Keys(has))
}

func (s *scenario) featuresOf(st *iam.Statement, has map[string]bool) {
	for what, is := range map[string]bool{
		"NotAction": st.NotActions != nil, "NotResource": st.NotResources != nil, "NotPrincipal": st.NotPrincipals != nil,
		"everyone":  slices.Contains(st.Principals, iam.Principal{Kind: iam.AnyPrincipal}),
		"short ARN": slices.ContainsFunc(slices.Concat(st.Resources, st.NotResources), func(p string) bool { return p != "*" && strings.Count(p, ":") < 5 }),
	} {
		has[what] = has[what] || is
	}
	for _, c := range st.Conditions {
		got := s.fact(c.Key)
		has[c.Operator] = true
		has["several values"] = has["several values"] || len(got) > 1
		has["a key that is missing"] = has["a key that is missing"] || len(got) == 0
		has["key in another case"] = has["key in another case"] || c.Key == strings.ToLower(c.Key) || c.Key == strings.ToUpper(c.Key)
	}
}

// TestSeedRepeatsScenario checks that a failure can be reproduced.
func TestSeedRepeatsScenario(t *testing.T) {
	for n := range uint64(50) {
		if a, b := generate(3, n).String(), generate(3, n).String(); a != b {
			t.Fatalf("scenario %d: got\n%s\nand\n%s, want the same", n, a, b)
		}
	}
	if generate(3, 1).String() == generate(4, 1).String() {
		t.Error("got the same scenario from two seeds, want another")
	}
}

// TestRestatedScenariosDecideTheSame checks, without the oracle, that internal/iam makes the same
// decision for a restated scenario. The restatement of a direct grant removes all other grants. For
// that restatement, the test therefore fails only if the restated scenario is allowed and the
// original is not.
func TestRestatedScenariosDecideTheSame(t *testing.T) {
	if testing.Short() {
		t.Skip("slow under the race detector, and runs on one goroutine")
	}
	restated := map[string]int{}
	for n := range uint64(enough / 2) {
		s := generate(2, n)
		want, err := s.ours()
		if err != nil {
			t.Fatalf("scenario %d: %v", n, err)
		}
		for _, d := range differences {
			c := s.clone()
			if !d.restate(c) {
				continue
			}
			got, err := c.ours()
			if err != nil {
				t.Fatalf("scenario %d, restated by %q: %v\n%s", n, d.name, err, c)
			}
			restated[d.name]++
			if onlyGrants := d.name == "a grant to the session itself"; got != want && (!onlyGrants || got == allow) {
				t.Errorf("scenario %d, restated by %q: got %s, want %s\n%s\nrestated:\n%s", n, d.name, got, want, s, c)
			}
		}
	}
	for _, d := range differences {
		if restated[d.name] == 0 {
			t.Errorf("%q: got nothing to restate, want some", d.name)
		}
	}
}

// TestCloneIsIndependent checks that restating a clone does not change the original.
func TestCloneIsIndependent(t *testing.T) {
	for n := range uint64(100) {
		s := generate(5, n)
		before := s.String()
		for _, d := range differences {
			d.restate(s.clone())
		}
		for _, smaller := range s.smaller() {
			if after := smaller.String(); len(after) >= len(before) {
				t.Fatalf("scenario %d: got as much left, want less:\n%s\nof\n%s", n, after, before)
			}
		}
		if after := s.String(); after != before {
			t.Fatalf("scenario %d: got\n%s\nafter its copies changed, want\n%s", n, after, before)
		}
	}
}
