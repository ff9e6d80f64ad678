package plan_test

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

const keyARN = "arn:aws:kms:us-east-1:222222222222:key/1"

var modified = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func object(key, etag string, size int64) listing.Object {
	return listing.Object{Key: key, Version: transfer.Version{ETag: etag, Size: size, LastModified: modified}}
}

// The numbers of the first passes with the current buckets and with the current storage class.
const (
	movedAt = 3
	classAt = 5
)

// older returns an entry of an earlier pass.
func older(key string, pass int64) record.Entry {
	e := entry(key, `"1"`)
	e.Pass = pass
	return e
}

func entry(key, etag string) record.Entry {
	return record.Entry{Key: key, Source: transfer.Version{ETag: etag, Size: 1, LastModified: modified}, KeyARN: keyARN, Pass: 9}
}

// sequence yields values and then err, if there is one.
func sequence[T any](err error, values ...T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range values {
			if !yield(v, nil) {
				return
			}
		}
		if err != nil {
			var none T
			yield(none, err)
		}
	}
}

// render returns a plan as "kind reason key", and the error that ends it.
func render(actions plan.Actions) []string {
	var lines []string
	for a, err := range actions {
		lines = append(lines, line(a, err))
	}
	return lines
}

func line(a plan.Action, err error) string {
	if err != nil {
		return "error " + err.Error()
	}
	return fmt.Sprintf("%s %s %s", map[plan.Kind]string{plan.Copy: "copy", plan.Skip: "skip"}[a.Kind], a.Reason, a.Object.Key)
}

func TestDiff(t *testing.T) {
	other := entry("a", `"1"`)
	other.KeyARN = "arn:aws:kms:us-east-1:222222222222:key/2"
	later := object("a", `"1"`, 1)
	later.LastModified = modified.Add(time.Second)
	broken := errors.New("listing broke")
	tests := []struct {
		name   string
		source iter.Seq2[listing.Object, error]
		ledger iter.Seq2[record.Entry, error]
		want   []string
	}{
		{"both empty", sequence[listing.Object](nil), sequence[record.Entry](nil), nil},
		{
			"first pass copies all", sequence(nil, object("a", `"1"`, 1), object("b", `"2"`, 0)), sequence[record.Entry](nil),
			[]string{"copy missing a", "copy missing b"},
		},
		{
			"same version is unchanged", sequence(nil, object("a", `"1"`, 1)), sequence(nil, entry("a", `"1"`)),
			[]string{"skip unchanged a"},
		},
		{
			"same size, other ETag", sequence(nil, object("a", `"2"`, 1)), sequence(nil, entry("a", `"1"`)),
			[]string{"copy changed a"},
		},
		{
			"same ETag, other size", sequence(nil, object("a", `"1"`, 2)), sequence(nil, entry("a", `"1"`)),
			[]string{"copy changed a"},
		},
		{
			"same bytes written again may carry other metadata", sequence(nil, later), sequence(nil, entry("a", `"1"`)),
			[]string{"copy changed a"},
		},
		{
			"copy under another key", sequence(nil, object("a", `"1"`, 1)), sequence(nil, other),
			[]string{"copy wrong_key a"},
		},
		{"copied before the mapping moved", sequence(nil, object("a", `"1"`, 1)), sequence(nil, older("a", movedAt-1)), []string{"copy moved a"}},
		{"copied in the pass in which it moved", sequence(nil, object("a", `"1"`, 1)), sequence(nil, older("a", classAt)), []string{"skip unchanged a"}},
		{"copied into another storage class", sequence(nil, object("a", `"1"`, 1)), sequence(nil, older("a", classAt-1)), []string{"copy wrong_class a"}},
		{
			"gone at the start, in the middle, at the end",
			sequence(nil, object("b", `"1"`, 1), object("d", `"1"`, 1)),
			sequence(nil, entry("a", `"1"`), entry("b", `"1"`), entry("c", `"1"`), entry("d", `"1"`), entry("e", `"1"`)),
			[]string{"skip gone a", "skip unchanged b", "skip gone c", "skip unchanged d", "skip gone e"},
		},
		{
			"order is by bytes: upper case, lower case, then beyond ASCII",
			sequence(nil, object("B", "", 1), object("a", "", 1), object("é", "", 1), object("\U0001F600", "", 1)),
			sequence(nil, entry("C", "")),
			[]string{"copy missing B", "skip gone C", "copy missing a", "copy missing é", "copy missing \U0001F600"},
		},
		{
			"a listing that breaks off makes nothing gone",
			sequence(broken, object("a", `"1"`, 1)), sequence(nil, entry("a", `"1"`), entry("b", `"1"`)),
			[]string{"skip unchanged a", "error listing broke"},
		},
		{
			"a ledger that breaks off makes nothing missing",
			sequence(nil, object("a", `"1"`, 1), object("b", `"1"`, 1)), sequence(errors.New("ledger broke"), entry("a", `"1"`)),
			[]string{"skip unchanged a", "error ledger broke"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := render(plan.Diff(tt.source, tt.ledger, nil, plan.Rules{KeyARN: keyARN, PlaceSince: movedAt, ClassSince: classAt}))
			if diff := gocmp.Diff(tt.want, got); diff != "" {
				t.Errorf("plan (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDiffStopsWithTheLoop(t *testing.T) {
	entries := sequence(nil, entry("a", `"1"`), entry("b", `"1"`), entry("c", `"1"`))
	for n := range 3 {
		seen := 0
		for _, err := range plan.Diff(sequence(nil, object("b", `"1"`, 1)), entries, nil, plan.Rules{}) {
			if err != nil {
				t.Fatal(err)
			}
			if seen++; seen > n {
				break
			}
		}
		if seen != n+1 {
			t.Errorf("got %d actions, want the loop to end after %d", seen, n+1)
		}
	}
}

// TestDiffAgainstMaps checks that the merge gives the same result as lookups in three maps.
func TestDiffAgainstMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		versions := rapid.MapOf(rapid.StringMatching(`[ab/é]{1,4}`), rapid.SampledFrom([]string{"1", "2"}))
		source, ledger, aside := versions.Draw(t, "source"), versions.Draw(t, "ledger"), versions.Draw(t, "quarantine")
		var want []string
		for key, etag := range source {
			switch known, ok := ledger[key]; {
			case ok && known == etag:
				want = append(want, "skip unchanged "+key)
			case aside[key] == etag:
				want = append(want, "skip held "+key)
			case !ok:
				want = append(want, "copy missing "+key)
			default:
				want = append(want, "copy changed "+key)
			}
		}
		for key := range union(ledger, aside) {
			if _, ok := source[key]; !ok {
				want = append(want, "skip gone "+key)
			}
		}
		byKey := func(a, b string) int { return cmp.Compare(lastField(a), lastField(b)) }
		slices.SortFunc(want, byKey)
		var got []string
		for a, err := range plan.Diff(
			sequence(nil, ascending(source, func(k, v string) listing.Object { return object(k, v, 1) })...),
			sequence(nil, ascending(ledger, func(k, v string) record.Entry { return entry(k, v) })...),
			sequence(nil, ascending(aside, func(k, v string) record.Quarantined { return quarantined(k, v, "denied") })...),
			plan.Rules{Now: setAsideAt},
		) {
			got = append(got, line(a, err))
			if q := a.SetAside; (q != nil) != (aside[a.Object.Key] != "") || q != nil && q.Source.ETag != aside[a.Object.Key] {
				t.Fatalf("%q: got %v set aside, want %q", a.Object.Key, q, aside[a.Object.Key])
			}
			if e := a.Previous; (e != nil) != (ledger[a.Object.Key] != "") || e != nil && e.Source.ETag != ledger[a.Object.Key] {
				t.Fatalf("%q: got previous %v, want %q", a.Object.Key, e, ledger[a.Object.Key])
			}
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("plan (-want +got):\n%s", diff)
		}
	})
}

func ascending[T any](m map[string]string, make func(key, value string) T) []T {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var values []T
	for _, key := range keys {
		values = append(values, make(key, m[key]))
	}
	return values
}

// union returns the keys of two maps.
func union(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

func lastField(line string) string { return line[strings.LastIndexByte(line, ' ')+1:] }

// TestDiffForgetsCopiesElsewhere checks that a copy in another place is not used as the previous
// copy of an object, even if the object still exists.
func TestDiffForgetsCopiesElsewhere(t *testing.T) {
	source, ledger := sequence(nil, object("b", `"1"`, 1)), sequence(nil, older("a", movedAt-1), older("b", movedAt-1), older("c", movedAt))
	var kept []string
	for a, err := range plan.Diff(source, ledger, nil, plan.Rules{PlaceSince: movedAt}) {
		if err != nil {
			t.Fatal(err)
		}
		if a.Previous != nil {
			kept = append(kept, a.Object.Key)
		}
	}
	if diff := gocmp.Diff([]string{"c"}, kept); diff != "" {
		t.Errorf("actions with a previous copy (-want +got):\n%s", diff)
	}
}

func BenchmarkDiffUnchanged(b *testing.B) {
	const n = 100_000
	objects, entries := make([]listing.Object, n), make([]record.Entry, n)
	for i := range n {
		key := fmt.Sprintf("exports/%08d", i)
		objects[i], entries[i] = object(key, `"1"`, 1), entry(key, `"1"`)
	}
	for b.Loop() {
		for _, err := range plan.Diff(sequence(nil, objects...), sequence(nil, entries...), nil, plan.Rules{KeyARN: keyARN}) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "objects/s")
}
