package plan_test

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// TestBesideFindsLeftovers uses random sources and destinations, claims on some keys, and a ledger
// that also has keys of another source. It checks that exactly the destination objects that are
// claimed and have no other action get an action, in key order.
func TestBesideFindsLeftovers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		subset := func(label, prefix string) []string {
			return slices.Sorted(maps.Keys(rapid.MapOf(rapid.Custom(func(t *rapid.T) string {
				return prefix + rapid.StringMatching("[a-f]").Draw(t, "letter")
			}), rapid.Just(true)).Draw(t, label)))
		}
		source, here := subset("source", "data/"), subset("destination", "copy/")
		ledger := slices.Concat(subset("before", "aaa/"), subset("ledger", "data/"), subset("after", "zzz/"))
		from, to := rapid.StringMatching("[a-f]").Draw(t, "from"), rapid.StringMatching("[a-f]|").Draw(t, "to")
		isClaimed := func(key string) bool { return key > "data/"+from && (to == "" || key <= "data/"+to) }
		claimed := func(key string) (c plan.Claimed) {
			if isClaimed(key) {
				c.Since = modified
			}
			return c
		}
		actions := func() plan.Actions {
			return plan.Diff(objects(source), entries(ledger), nil, plan.Rules{Claimed: claimed, OwnSince: 10})
		}
		has := map[string]bool{}
		for a, err := range actions() {
			if err != nil {
				t.Fatal(err)
			}
			has[a.Object.Key] = true
		}
		var want []string
		for _, key := range here {
			if key = "data/" + strings.TrimPrefix(key, "copy/"); isClaimed(key) && !has[key] {
				want = append(want, key)
			}
		}

		var asked []string
		var found []listing.Object
		for _, key := range here {
			found = append(found, object(key, "", 1))
		}
		d := there(&asked, nil, found...)
		d.Unknown = rapid.Bool().Draw(t, "unknown")
		d.KeyAt = func(key string) (string, error) {
			if !strings.HasPrefix(key, "data/") {
				return "", fmt.Errorf("%q is of another source", key)
			}
			return moved(key)
		}
		d.Leftovers = &plan.Leftovers{Range: listing.Range{After: "copy/" + from}, Claimed: claimed}
		if to != "" {
			d.Leftovers.Range.Until = "copy/" + to
		}
		var got []string
		last := ""
		for a, err := range plan.LookUp(actions(), d) {
			if err != nil {
				t.Fatal(err)
			}
			if a.Object.Key <= last {
				t.Fatalf("got %q after %q", a.Object.Key, last)
			}
			last = a.Object.Key
			if !has[a.Object.Key] {
				got = append(got, a.Object.Key)
				if a.Kind != plan.Skip || a.Reason != plan.Gone || !a.Unsure || a.Claimed.Since != modified {
					t.Errorf("%s: got %+v, want an unsure skip", a.Object.Key, a)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("got leftovers %q, want %q", got, want)
		}
		if len(asked) > 1 {
			t.Errorf("the destination was listed from %q, want once", asked)
		}
	})
}

// TestBesideWithSkips checks skipped objects that have a copy at the destination, newer than a
// claim.
func TestBesideWithSkips(t *testing.T) {
	claimed := func(string) plan.Claimed { return plan.Claimed{Since: modified} }
	rejectAll := plan.Filter{Exclude: []plan.Pattern{whole("data/a")}}
	for _, tt := range []struct {
		name       string
		rules      plan.Rules
		etag       string // at the destination
		ledger     []string
		quarantine []record.Quarantined
		isUnsure   bool
		isSince    bool // the quarantine row has a WrittenSince
	}{
		{"filtered", plan.Rules{Filter: rejectAll}, `"x"`, nil, nil, true, false},
		{"filtered, and in the ledger", plan.Rules{Filter: rejectAll}, `"x"`, []string{"data/a"}, nil, true, false},
		{"held", plan.Rules{Now: modified}, `"x"`, nil, []record.Quarantined{heldRow("data/a")}, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.rules.Claimed, tt.rules.OwnSince = claimed, 1
			var asked []string
			d := there(&asked, nil, object("copy/a", tt.etag, 1))
			d.Unknown = false
			d.Leftovers = &plan.Leftovers{Claimed: claimed}
			actions := plan.Diff(objects([]string{"data/a"}), entries(tt.ledger), sequence(nil, tt.quarantine...), tt.rules)
			for a, err := range plan.LookUp(actions, d) {
				if err != nil || a.Kind != plan.Skip || a.Unsure != tt.isUnsure {
					t.Errorf("got %+v, %v, want a skip, unsure %t", a, err, tt.isUnsure)
				}
				if tt.isSince != (a.SetAside != nil && a.SetAside.WrittenSince.Equal(modified)) {
					t.Errorf("got row %+v, want a time: %t", a.SetAside, tt.isSince)
				}
			}
		})
	}
}

// heldRow returns a quarantine row that is not due.
func heldRow(key string) record.Quarantined {
	q := quarantined(key, "", "denied")
	q.Source = object(key, "", 1).Version
	q.FirstAt, q.LastAt, q.Attempts, q.Pass = modified, modified, 1, 1
	return q
}

func objects(keys []string) iter.Seq2[listing.Object, error] {
	var all []listing.Object
	for _, key := range keys {
		all = append(all, object(key, "", 1))
	}
	return sequence(nil, all...)
}

func entries(keys []string) iter.Seq2[record.Entry, error] {
	var all []record.Entry
	for _, key := range keys {
		all = append(all, entry(key, ""))
	}
	return sequence(nil, all...)
}
