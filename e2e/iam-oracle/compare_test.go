package iamoracle_test

import (
	"flag"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"syncd/internal/iam"
)

var (
	script    = flag.String("oracle", "", "path of oracle.mjs, which node runs; if empty, TestOracle is skipped")
	decisions = flag.Uint64("decisions", 20_000, "number of scenarios to decide")
	seed      = flag.Uint64("seed", 1, "seed of the scenarios")
	only      = flag.Int64("only", -1, "decide only the scenario with this number, as printed by a failure")
)

// tally contains the results of a run.
type tally struct {
	sync.Mutex
	decisions map[string]int // number of scenarios, by decision and by feature
	known     map[string]int // scenarios that a single entry of differences explains, by its name
	several   int            // scenarios that require more than one entry
	unknown   []string
}

// TestOracle compares the decisions of the two implementations and counts them. It fails after a
// few decisions that differ and that no entry of [differences] explains.
func TestOracle(t *testing.T) {
	if *script == "" {
		t.Skip("needs Node.js and npm packages: make iam-oracle")
	}
	start := time.Now()
	got := tally{decisions: map[string]int{}, known: map[string]int{}}
	first, count := uint64(0), *decisions
	if *only >= 0 {
		first, count = uint64(*only), 1
	}
	var next atomic.Uint64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 8) {
		o := startOracle(t, *script)
		wg.Go(func() {
			for n := next.Add(1) - 1; n < count && !got.enough(); n = next.Add(1) - 1 {
				got.compare(o, first+n)
			}
			if err := o.stop(); err != nil {
				t.Errorf("stop the oracle: %v", err)
			}
		})
	}
	wg.Wait()
	got.report(t, time.Since(start))
}

// enough reports whether the run has failed often enough to stop.
func (t *tally) enough() bool {
	t.Lock()
	defer t.Unlock()
	return len(t.unknown) >= 3
}

// compare decides one scenario with both implementations.
func (t *tally) compare(o *oracle, number uint64) {
	s := generate(*seed, number)
	ours, err := s.ours()
	theirs, refused := o.ask(s)
	var explained []string
	if err == nil && refused == nil && ours != theirs {
		explained = explain(o, s, ours)
	}
	fault := ""
	switch {
	case err != nil:
		fault = fmt.Sprintf("scenario %d: %v\n%s", number, err, s)
	case refused != nil:
		fault = fmt.Sprintf("scenario %d: %v\n%s", number, refused, s)
	case ours != theirs && explained == nil:
		small := shrink(o, s)
		ours, _ = small.ours()
		theirs, _ = o.ask(small)
		fault = fmt.Sprintf("scenario %d (-seed %d -only %d): internal/iam decides %s, the oracle %s\n%s", number, *seed, number, ours, theirs, small)
	}
	t.Lock()
	defer t.Unlock()
	t.count(s, ours)
	switch {
	case fault != "":
		t.unknown = append(t.unknown, fault)
	case len(explained) == 1:
		t.known[explained[0]]++
	case len(explained) > 1:
		t.several++
	}
}

func (t *tally) count(s *scenario, decision string) {
	t.decisions[decision]++
	for what, is := range map[string]bool{
		"across accounts": s.crossAccount(), "with a resource policy": s.Policy != nil, "with a session policy": s.Session != nil,
		"with a boundary": s.Boundary != nil, "with an organization's policies": s.ServiceControl != nil || s.ResourceControl != nil,
	} {
		if is {
			t.decisions[what]++
		}
	}
}

// explain returns the names of the entries of [differences] that explain why the decisions differ:
// a single name if one entry is sufficient, otherwise the names of all entries that apply. It
// returns nil if the difference is unexplained.
func explain(o *oracle, s *scenario, ours string) []string {
	for _, d := range differences {
		if c := s.clone(); d.restate(c) && agrees(o, c, ours) {
			return []string{d.name}
		}
	}
	c := s.clone()
	var names []string
	for _, d := range differences {
		before := c.clone()
		if d.restate(c) {
			names = append(names, d.name)
			if agrees(o, c, ours) {
				return names
			}
			continue
		}
		c = before
	}
	return nil
}

// agrees reports whether both implementations make the decision want.
func agrees(o *oracle, s *scenario, want string) bool {
	ours, err := s.ours()
	theirs, refused := o.ask(s)
	return err == nil && refused == nil && ours == want && theirs == want
}

// report prints the counts. It fails the test if the run does not cover every required feature.
func (t *tally) report(tb testing.TB, took time.Duration) {
	tb.Helper()
	total := t.decisions[allow] + t.decisions[explicitDeny] + t.decisions[implicitDeny]
	var b strings.Builder
	fmt.Fprintf(&b, "%d decisions in %s, seed %d:", total, took.Round(time.Second), *seed)
	for _, what := range []string{
		allow, explicitDeny, implicitDeny,
		"across accounts", "with a resource policy", "with a session policy", "with a boundary", "with an organization's policies",
	} {
		fmt.Fprintf(&b, "\n%8d  %4.1f%%  %s", t.decisions[what], 100*float64(t.decisions[what])/float64(max(total, 1)), what)
	}
	fmt.Fprintf(&b, "\ndifferences that AWS's documentation decides for internal/iam:")
	for _, d := range differences {
		fmt.Fprintf(&b, "\n%8d  %s", t.known[d.name], d.name)
		if t.known[d.name] == 0 && *only < 0 && len(t.unknown) == 0 {
			tb.Errorf("%q: got no scenario that this entry alone explains, want at least one: remove the entry, or increase -decisions", d.name)
		}
	}
	fmt.Fprintf(&b, "\n%8d  several of these at once", t.several)
	fmt.Fprintf(&b, "\n%8d  unexplained", len(t.unknown))
	tb.Log(b.String())
	for _, fault := range t.unknown {
		tb.Error(fault)
	}
}

// shrink removes elements from a scenario as long as the decisions still differ without an
// explanation, and returns the smallest scenario.
func shrink(o *oracle, s *scenario) *scenario {
	for again := true; again; {
		again = false
		for _, smaller := range s.smaller() {
			ours, err := smaller.ours()
			theirs, refused := o.ask(smaller)
			if err == nil && refused == nil && ours != theirs && explain(o, smaller, ours) == nil {
				s, again = smaller, true
				break
			}
		}
	}
	return s
}

// smaller returns copies of the scenario, each with one element removed.
func (s *scenario) smaller() []*scenario {
	var all []*scenario
	for key := range s.Context {
		c := s.clone()
		delete(c.Context, key)
		all = append(all, c)
	}
	for _, field := range []func(*scenario) **iam.Document{
		func(c *scenario) **iam.Document { return &c.Boundary }, func(c *scenario) **iam.Document { return &c.Session },
		func(c *scenario) **iam.Document { return &c.Policy },
	} {
		if c := s.clone(); *field(c) != nil && (field(c) != &c.Policy || s.Kind != iam.Key && s.Kind != iam.Trust) {
			*field(c) = nil
			all = append(all, c)
		}
	}
	for _, field := range []func(*scenario) *[]*iam.Document{
		func(c *scenario) *[]*iam.Document { return &c.Identity },
		func(c *scenario) *[]*iam.Document { return &c.ServiceControl },
		func(c *scenario) *[]*iam.Document { return &c.ResourceControl },
	} {
		for i := range *field(s) {
			c := s.clone()
			*field(c) = slices.Delete(*field(c), i, i+1)
			if len(*field(c)) == 0 {
				*field(c) = nil
			}
			all = append(all, c)
		}
	}
	return append(all, s.smallerDocuments()...)
}

func (s *scenario) smallerDocuments() []*scenario {
	var all []*scenario
	for i, d := range s.documents() {
		for j, st := range d.Statements {
			change := func(f func(*iam.Document)) {
				c := s.clone()
				f(c.documents()[i])
				all = append(all, c)
			}
			if len(d.Statements) > 1 {
				change(func(d *iam.Document) { d.Statements = slices.Delete(d.Statements, j, j+1) })
			}
			for k := range st.Conditions {
				change(func(d *iam.Document) { d.Statements[j].Conditions = slices.Delete(d.Statements[j].Conditions, k, k+1) })
				for v := range st.Conditions[k].Values {
					if len(st.Conditions[k].Values) > 1 {
						change(func(d *iam.Document) {
							values := &d.Statements[j].Conditions[k].Values
							*values = slices.Delete(*values, v, v+1)
						})
					}
				}
			}
			for _, list := range []func(*iam.Statement) *[]string{
				func(st *iam.Statement) *[]string { return &st.Actions }, func(st *iam.Statement) *[]string { return &st.NotActions },
				func(st *iam.Statement) *[]string { return &st.Resources }, func(st *iam.Statement) *[]string { return &st.NotResources },
			} {
				for k := range *list(&st) {
					if len(*list(&st)) > 1 {
						change(func(d *iam.Document) { *list(&d.Statements[j]) = slices.Delete(*list(&d.Statements[j]), k, k+1) })
					}
				}
			}
		}
	}
	return all
}
