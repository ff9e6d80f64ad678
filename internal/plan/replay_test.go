package plan_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/smithy-go"
	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// shelf is a source that is looked up key by key.
type shelf struct {
	objects map[string]string // key to ETag
	errs    map[string]error
	looked  []string
}

func (s *shelf) look(_ context.Context, key string) (listing.Object, error) {
	s.looked = append(s.looked, key)
	if err := s.errs[key]; err != nil {
		return listing.Object{}, fmt.Errorf("look up %q: %w", key, err)
	}
	if etag, ok := s.objects[key]; ok {
		return object(key, etag, 1), nil
	}
	return listing.Object{}, fmt.Errorf("look up %q: %w", key, &smithy.GenericAPIError{Code: "NoSuchKey"})
}

func denied(q record.Quarantined) bool { return q.Reason == "denied" }

func TestReplay(t *testing.T) {
	source := &shelf{
		objects: map[string]string{"changed": `"2"`, "changed since": `"3"`, "excluded": `"2"`, "missing": `"2"`, "unchanged": `"1"`, "sse_c": `"2"`},
		errs: map[string]error{
			"forbidden": &smithy.GenericAPIError{Code: "AccessDenied"}, "forbidden copy": &smithy.GenericAPIError{Code: "AccessDenied"},
		},
	}
	ledger := sequence(nil, entry("a", `"1"`), entry("changed", `"1"`), entry("changed since", `"1"`), entry("forbidden copy", `"1"`),
		entry("gone copy", `"1"`), entry("sse_c", `"1"`), entry("unchanged", `"1"`))
	var aside []record.Quarantined
	for _, key := range []string{"changed", "changed since", "excluded", "forbidden", "forbidden copy", "gone", "gone copy", "missing", "sse_c", "unchanged", "waiting"} {
		reason := "denied"
		if key == "sse_c" || key == "waiting" {
			reason = "sse_c"
		}
		aside = append(aside, quarantined(key, `"2"`, reason))
	}
	rules := plan.Rules{Now: setAsideAt, Retry: denied, Filter: plan.Filter{Exclude: []plan.Pattern{suffix("excluded")}, ModifiedAfter: modified}}
	var got, listed, held []string
	for a, err := range plan.Replay(t.Context(), ledger, sequence(nil, aside...), source.look, rules) {
		got = append(got, line(a, err))
		if a.Listed() {
			listed = append(listed, a.Object.Key)
		}
		if a.Holds() {
			held = append(held, a.Object.Key)
		}
		if a.Object.Key == "forbidden copy" && (a.Object.ETag != `"2"` || a.Object.Size != 1 || a.Previous == nil || a.SetAside == nil) {
			t.Errorf("got %+v, want the quarantined version", a)
		}
	}
	want := []string{
		"skip untouched a", "copy changed changed", "copy changed changed since", "skip excluded excluded", "copy missing forbidden",
		"copy changed forbidden copy", "skip gone gone", "skip gone gone copy", "copy missing missing", "skip untouched sse_c", "skip unchanged unchanged",
		"skip untouched waiting",
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	wantLooked := []string{"changed", "changed since", "excluded", "forbidden", "forbidden copy", "gone", "gone copy", "missing", "unchanged"}
	if diff := gocmp.Diff(wantLooked, source.looked); diff != "" {
		t.Errorf("looked up (-want +got):\n%s", diff)
	}
	wantListed := []string{"changed", "changed since", "excluded", "forbidden", "forbidden copy", "missing", "unchanged"}
	if diff := gocmp.Diff(wantListed, listed); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff([]string{"sse_c", "waiting"}, held); diff != "" {
		t.Errorf("held (-want +got):\n%s", diff)
	}
}

// TestReplayEnds checks that errors that would affect every request, and errors of the ledger, end
// the plan.
func TestReplayEnds(t *testing.T) {
	broken := errors.New("ledger broke")
	fatal := &smithy.GenericAPIError{Code: "ExpiredToken"}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	aside := []record.Quarantined{quarantined("a", `"1"`, "denied"), quarantined("b", `"1"`, "denied")}
	for _, tt := range []struct {
		name    string
		ctx     context.Context //nolint:containedctx // of the test
		look    error
		ledger  error
		aside   error
		want    error
		actions int
	}{
		{"dead credentials", t.Context(), fatal, nil, nil, fatal, 0},
		{"canceled", canceled, context.Canceled, nil, nil, context.Canceled, 0},
		{"the ledger", t.Context(), nil, broken, nil, broken, 0},
		{"the quarantine", t.Context(), nil, nil, broken, broken, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			source := &shelf{objects: map[string]string{"a": `"1"`, "b": `"1"`}, errs: map[string]error{"a": tt.look}}
			actions := 0
			var last error
			for _, err := range plan.Replay(tt.ctx, sequence[record.Entry](tt.ledger), sequence(tt.aside, aside...), source.look, plan.Rules{Retry: denied}) {
				if last = err; err == nil {
					actions++
				}
			}
			if !errors.Is(last, tt.want) || actions != tt.actions {
				t.Errorf("got %v after %d actions, want %v after %d", last, actions, tt.want, tt.actions)
			}
		})
	}
}

// TestReplayOfAllIsADiff checks that a replay of the whole quarantine gives the same copies as Diff
// if nothing else has changed at the source.
func TestReplayOfAllIsADiff(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		versions := rapid.MapOf(rapid.StringMatching(`[ab/é]{1,3}`), rapid.SampledFrom([]string{"1", "2"}))
		ledger, aside := versions.Draw(t, "ledger"), versions.Draw(t, "quarantine")
		objects := versions.Draw(t, "source of the quarantine")
		for key := range objects {
			if aside[key] == "" {
				delete(objects, key)
			}
		}
		for key, etag := range ledger {
			if aside[key] == "" {
				objects[key] = etag
			}
		}
		entries := func() []record.Entry { return ascending(ledger, entryOf) }
		set := ascending(aside, func(k, v string) record.Quarantined { return quarantined(k, v, "denied") })
		rules := plan.Rules{Now: setAsideAt, Retry: denied}
		want := render(plan.Diff(sequence(nil, ascending(objects, objectOf)...), sequence(nil, entries()...), sequence(nil, set...), rules))
		for i, text := range want {
			if key := lastField(text); aside[key] == "" {
				want[i] = "skip untouched " + key
			}
		}
		source := &shelf{objects: objects}
		got := render(plan.Replay(t.Context(), sequence(nil, entries()...), sequence(nil, set...), source.look, rules))
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("replay (-diff +replay):\n%s", diff)
		}
		if len(source.looked) != len(aside) || !slices.IsSorted(source.looked) {
			t.Fatalf("looked up %q, want each object in quarantine once", source.looked)
		}
	})
}

func TestReplayStopsWithTheLoop(t *testing.T) {
	source := &shelf{objects: map[string]string{"b": `"2"`, "d": `"2"`}}
	aside := sequence(nil, quarantined("b", `"2"`, "denied"), quarantined("d", `"2"`, "denied"))
	for _, err := range plan.Replay(t.Context(), sequence(nil, entry("a", `"1"`)), aside, source.look, plan.Rules{Retry: denied}) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	if len(source.looked) != 0 {
		t.Errorf("looked up %q, want no lookup after the end of the loop", source.looked)
	}
}

func objectOf(k, v string) listing.Object { return object(k, v, 1) }
func entryOf(k, v string) record.Entry    { return entry(k, v) }
