package plan_test

import (
	"strings"
	"testing"
	"time"

	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

// suffix is a pattern that matches keys by their end.
type suffix string

func (s suffix) Match(key string) bool { return strings.HasSuffix(key, string(s)) }

// whole is a pattern that matches one key.
type whole string

func (w whole) Match(key string) bool { return key == string(w) }

func TestFilterReject(t *testing.T) {
	o := listing.Object{Key: "exports/a.csv", Version: transfer.Version{Size: 100, LastModified: modified}}
	tests := []struct {
		name   string
		filter plan.Filter
		want   plan.Reason
	}{
		{"zero filter selects all", plan.Filter{}, ""},
		{"include matches", plan.Filter{Include: []plan.Pattern{suffix(".txt"), suffix(".csv")}}, ""},
		{"no include matches", plan.Filter{Include: []plan.Pattern{suffix(".txt")}}, plan.NotIncluded},
		{"exclude matches", plan.Filter{Exclude: []plan.Pattern{suffix(".csv")}}, plan.Excluded},
		{"exclude wins over include", plan.Filter{Include: []plan.Pattern{suffix(".csv")}, Exclude: []plan.Pattern{suffix(".csv")}}, plan.Excluded},
		{"patterns see the key without the source's prefix", plan.Filter{Prefix: "exports/", Include: []plan.Pattern{whole("a.csv")}}, ""},
		{"size at the lower bound", plan.Filter{MinSize: 100}, ""},
		{"size below the lower bound", plan.Filter{MinSize: 101}, plan.TooSmall},
		{"size at the upper bound", plan.Filter{MaxSize: 100}, ""},
		{"size above the upper bound", plan.Filter{MaxSize: 99}, plan.TooLarge},
		{"modified at the lower bound", plan.Filter{ModifiedAfter: modified}, ""},
		{"modified before the lower bound", plan.Filter{ModifiedAfter: modified.Add(time.Second)}, plan.TooOld},
		{"modified at the upper bound", plan.Filter{ModifiedBefore: modified}, ""},
		{"modified after the upper bound", plan.Filter{ModifiedBefore: modified.Add(-time.Second)}, plan.TooNew},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.filter.Reject(o); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestDiffKeepsWhatTheFilterRejects checks that if a filter no longer selects an object, its copy
// is kept: the object is skipped for the filter's reason and is not reported as gone.
func TestDiffKeepsWhatTheFilterRejects(t *testing.T) {
	rules := plan.Rules{Filter: plan.Filter{Exclude: []plan.Pattern{whole("a")}}}
	for a, err := range plan.Diff(sequence(nil, object("a", `"2"`, 1)), sequence(nil, entry("a", `"1"`)), nil, rules) {
		if err != nil || a.Kind != plan.Skip || a.Reason != plan.Excluded || a.Previous == nil {
			t.Errorf("got kind %v, reason %q, previous %v; want an excluded skip that keeps its entry", a.Kind, a.Reason, a.Previous)
		}
	}
}
