package plan_test

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"
	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// TestPartsAreTheWhole uses random listings, ledgers, claims and destinations, and a random division
// of the source into parts. It checks that the plans of the parts, one after the other, are the plan
// of the whole, that the end of a part is asked for only after its listing has ended, and that a
// part lists the destination no further than needed.
func TestPartsAreTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		for name, planOf := range map[string]func(*world, *partOf) plan.Actions{
			"Diff": (*world).diff, "Inherit": (*world).inherit, "LookUp": (*world).lookUp, "Replay": (*world).replay,
		} {
			whole := &partOf{}
			want := collect(t, planOf(w, whole))
			switch name {
			case "Diff", "Replay":
				w.checkRows(t, want)
			case "LookUp":
				w.checkLooks(t, want)
			}
			var got []plan.Action
			for _, p := range w.parts() {
				actions := collect(t, planOf(w, p))
				if name == "LookUp" {
					w.checkRequests(t, p, actions)
				}
				got = append(got, startingAfter(p.after, actions, want)...)
			}
			if diff := gocmp.Diff(want, got); diff != "" {
				t.Fatalf("%s (-whole +parts):\n%s", name, diff)
			}
		}
	})
}

// startingAfter checks ListedAfter of the actions of a part: it is that of the whole, or the key
// before the part, whichever is greater. It returns the actions with ListedAfter of the whole.
func startingAfter(after string, actions, whole []plan.Action) []plan.Action {
	listedAfter := map[string]string{}
	for _, a := range whole {
		listedAfter[a.Object.Key] = a.ListedAfter
	}
	for i, a := range actions {
		if of := listedAfter[a.Object.Key]; a.WasListed && a.ListedAfter == max(after, of) {
			actions[i].ListedAfter = of
		}
	}
	return actions
}

func collect(t *rapid.T, actions plan.Actions) (all []plan.Action) {
	for a, err := range actions {
		if err != nil {
			t.Fatalf("plan: %v", err)
		}
		all = append(all, a)
	}
	return all
}

// world contains the inputs of a plan. Source keys begin with data/ and destination keys with
// copy/. The ledger can also have keys of other sources, and some source keys have no destination
// key.
type world struct {
	t           *rapid.T
	source      []listing.Object
	entries     []record.Entry
	quarantine  []record.Quarantined
	inherited   []record.Entry
	destination []listing.Object
	rules       plan.Rules
	claims      listing.Range // source keys that are claimed, if there are any claims
	hasClaims   bool
	isProved    bool
	isUnknown   bool
	isHidden    bool // the destination cannot be listed
	bounds      []string
}

const longKey = "data/cllllllllllllllll" // has no destination key

func drawWorld(t *rapid.T) *world {
	letters := rapid.StringMatching("[a-f]{1,2}")
	here := rapid.OneOf(rapid.Map(letters, func(s string) string { return "data/" + s }), rapid.Just(longKey))
	any := rapid.OneOf(here, here, rapid.SampledFrom([]string{"aaa/b", "aaa/d", "data/", "mmm", "zzz/b", "zzz/d"}))
	at := rapid.Map(letters, func(s string) string { return "copy/" + s })
	w := &world{
		t: t, isUnknown: rapid.Bool().Draw(t, "unknown"), hasClaims: rapid.Bool().Draw(t, "claims"), isProved: rapid.Bool().Draw(t, "proved"),
		isHidden:   rapid.SampledFrom([]bool{false, false, false, true}).Draw(t, "hidden"),
		source:     draw(t, "source", here, drawObject),
		entries:    draw(t, "entries", any, drawEntry),
		quarantine: draw(t, "quarantine", any, drawRow),
		inherited:  draw(t, "inherited", here, func(_ *rapid.T, key string) record.Entry { return entry(key, "") }),
		destination: draw(t, "destination", rapid.OneOf(at, at, rapid.SampledFrom([]string{"abc", "xyz"})),
			drawObject),
		bounds: draw(t, "bounds", any, func(_ *rapid.T, key string) string { return key }),
	}
	w.claims.After = "data/" + letters.Draw(t, "claimed after")
	if rapid.Bool().Draw(t, "claims end") {
		w.claims.Until = max(w.claims.After, "data/"+letters.Draw(t, "claimed until"))
	}
	excluded := plan.Filter{Exclude: []plan.Pattern{suffix(letters.Draw(t, "excluded"))}}
	w.rules = plan.Rules{
		Filter: excluded, KeyARN: keyARN, PlaceSince: movedAt, TargetSince: rapid.SampledFrom([]int64{0, movedAt}).Draw(t, "target since"),
		Claimed: w.claimed, Now: setAsideAt, Retry: func(q record.Quarantined) bool { return q.Reason == "sse_c" },
	}
	return w
}

// draw returns values with different keys in key order.
func draw[T any](t *rapid.T, label string, keys *rapid.Generator[string], value func(*rapid.T, string) T) (all []T) {
	set := rapid.MapOfN(keys, rapid.Just(true), 0, 6).Draw(t, label)
	for _, key := range slices.Sorted(maps.Keys(set)) {
		all = append(all, value(t, key))
	}
	return all
}

func drawObject(t *rapid.T, key string) listing.Object {
	o := object(key, rapid.SampledFrom([]string{"1", "2"}).Draw(t, "etag"), 1)
	if rapid.Bool().Draw(t, "old") {
		o.LastModified = modified.Add(-time.Hour)
	}
	return o
}

func drawEntry(t *rapid.T, key string) record.Entry {
	o := drawObject(t, key)
	e := entry(key, o.ETag)
	e.Source, e.Pass, e.DestinationETag = o.Version, rapid.SampledFrom([]int64{movedAt - 1, 9}).Draw(t, "pass"), o.ETag
	return e
}

func drawRow(t *rapid.T, key string) record.Quarantined {
	q := quarantined(key, "", rapid.SampledFrom([]string{"denied", "sse_c"}).Draw(t, "reason"))
	q.Source, q.Pass = drawObject(t, key).Version, rapid.SampledFrom([]int64{movedAt - 1, 9}).Draw(t, "pass")
	if rapid.Bool().Draw(t, "written") {
		q.WrittenSince = setAsideAt
	}
	return q
}

func (w *world) claimed(key string) (c plan.Claimed) {
	if w.hasClaims && w.claims.Contains(key) {
		c.Since, c.Proved = modified, w.isProved
	}
	return c
}

// partOf is a part and the requests that were sent to list the destination for it.
type partOf struct {
	after, until string
	hasEnded     bool     // the source's listing has ended
	asked        []string // keys after which the destination was listed
	read         []string // destination keys that were read
}

func (w *world) parts() (all []*partOf) {
	after := ""
	for _, bound := range w.bounds {
		all = append(all, &partOf{after: after, until: bound})
		after = bound
	}
	return append(all, &partOf{after: after})
}

// part returns the part as the plan gets it. Before the source's listing has ended, its end is
// unknown.
func (w *world) part(p *partOf) plan.Part {
	return plan.Part{After: p.after, Until: func() string {
		if !p.hasEnded {
			w.t.Fatalf("the end of the part after %q was asked for before its listing ended", p.after)
		}
		return p.until
	}}
}

func (w *world) diff(p *partOf) plan.Actions {
	keys := listing.Range{After: p.after, Until: p.until}
	source := func(yield func(listing.Object, error) bool) {
		for _, o := range w.source {
			if keys.Contains(o.Key) && !yield(o, nil) {
				return
			}
		}
		p.hasEnded = true
	}
	rules := w.rules
	rules.Part = w.part(p)
	return plan.Diff(source, from(w.entries, p.after, entryKey), from(w.quarantine, p.after, rowKey), rules)
}

func (w *world) replay(p *partOf) plan.Actions {
	p.hasEnded = true // a replay has no listing
	rules := w.rules
	rules.Part = w.part(p)
	look := func(_ context.Context, key string) (listing.Object, error) {
		if strings.HasSuffix(key, "a") {
			return listing.Object{}, &smithy.GenericAPIError{Code: "AccessDenied"}
		}
		for _, o := range w.source {
			if o.Key == key {
				return o, nil
			}
		}
		return listing.Object{}, &smithy.GenericAPIError{Code: "NoSuchKey"}
	}
	return plan.Replay(context.Background(), from(w.entries, p.after, entryKey), from(w.quarantine, p.after, rowKey), look, rules)
}

func (w *world) inherit(p *partOf) plan.Actions {
	return plan.Inherit(w.diff(p), w.part(p), func(after string) iter.Seq2[record.Entry, error] {
		return from(w.inherited, after, entryKey)
	})
}

func (w *world) lookUp(p *partOf) plan.Actions {
	d := plan.Destination{
		Part: w.part(p), Unknown: w.isUnknown, KeyAt: destinationKey, KeyOf: sourceKey, Hidden: func(error) bool { return true },
		List: func(after string) iter.Seq2[listing.Object, error] {
			p.asked = append(p.asked, after)
			return func(yield func(listing.Object, error) bool) {
				if w.isHidden {
					yield(listing.Object{}, &smithy.GenericAPIError{Code: "AccessDenied"})
					return
				}
				for o, err := range from(w.destination, after, func(o listing.Object) string { return o.Key }) {
					p.read = append(p.read, o.Key)
					if !yield(o, err) {
						return
					}
				}
			}
		},
	}
	if w.hasLeftovers() {
		d.Leftovers = &plan.Leftovers{Claimed: w.claimed, Range: listing.Range{After: "copy/" + w.claims.After[len("data/"):]}}
		if w.claims.Until != "" {
			d.Leftovers.Range.Until = "copy/" + w.claims.Until[len("data/"):]
		}
	}
	return plan.LookUp(w.inherit(p), d)
}

func (w *world) hasLeftovers() bool { return w.hasClaims && !w.isProved }

// checkRows checks that each row of the ledger belongs to exactly one action, as it was read.
func (w *world) checkRows(t *rapid.T, actions []plan.Action) {
	var entries []record.Entry
	var rows []record.Quarantined
	for _, a := range actions {
		if e := a.Rows.Entry; e != nil {
			entries = append(entries, *e)
		}
		if q := a.Rows.Quarantined; q != nil {
			rows = append(rows, *q)
		}
	}
	if diff := gocmp.Diff(w.entries, entries); diff != "" {
		t.Fatalf("entries of the actions (-ledger +actions):\n%s", diff)
	}
	if diff := gocmp.Diff(w.quarantine, rows); diff != "" {
		t.Fatalf("quarantine rows of the actions (-ledger +actions):\n%s", diff)
	}
}

// checkLooks compares the objects that LookUp found with a search of the whole destination, and
// checks that the leftovers have actions.
func (w *world) checkLooks(t *rapid.T, actions []plan.Action) {
	has := map[string]plan.Action{}
	for _, a := range actions {
		has[a.Object.Key] = a
		key, err := destinationKey(a.Object.Key)
		isWanted := a.Kind == plan.Copy && err == nil && !w.isHidden && (w.isUnknown && a.Previous == nil || !a.Claimed.Since.IsZero())
		var want *listing.Object
		for _, o := range w.destination {
			if isWanted && o.Key == key {
				want = &o
			}
		}
		if diff := gocmp.Diff(want, a.Present); a.Looked != isWanted || diff != "" {
			t.Fatalf("%s: got looked up %t, want %t; object (-want +got):\n%s", a.Object.Key, a.Looked, isWanted, diff)
		}
	}
	for _, o := range w.destination {
		key := sourceKey(o.Key)
		if w.isHidden || !w.hasLeftovers() || w.claimed(key).Since.IsZero() || o.LastModified.Before(modified) {
			continue
		}
		if a, ok := has[key]; !ok || a.Reason == plan.Gone && !a.Unsure && a.Previous == nil && a.Inherited == nil {
			t.Fatalf("leftover %s: got action %+v, %t, want an unsure one", o.Key, a, ok)
		}
	}
}

// checkRequests checks that a part lists the destination at most once, only if it must, and that it
// reads at most one object before or after its keys.
func (w *world) checkRequests(t *rapid.T, p *partOf, actions []plan.Action) {
	isLooked := slices.ContainsFunc(actions, func(a plan.Action) bool { return a.Looked }) || w.isHidden
	isClaimed := w.hasLeftovers() && (w.claims.Until == "" || p.after < w.claims.Until) && (p.until == "" || p.until > w.claims.After)
	if n := len(p.asked); n > 1 || n == 1 && !isLooked && !isClaimed {
		t.Fatalf("part (%q, %q]: the destination was listed after %q, want at most once, looked up %t, claimed %t", p.after, p.until, p.asked, isLooked, isClaimed)
	}
	if before, err := destinationKey(p.after); err == nil && len(p.asked) > 0 && p.asked[0] < before {
		t.Fatalf("part after %q: the destination was listed after %q", p.after, p.asked[0])
	}
	end, err := destinationKey(p.until)
	if err != nil {
		return
	}
	if n := len(p.read) - 2; n >= 0 && p.read[n] > end {
		t.Fatalf("part until %q: the destination was read up to %q", p.until, p.read)
	}
}

func destinationKey(key string) (string, error) {
	if !strings.HasPrefix(key, "data/") {
		return "", &smithy.GenericAPIError{Code: "elsewhere"}
	}
	return moved(key)
}

func sourceKey(key string) string {
	if rest, ok := strings.CutPrefix(key, "copy/"); ok {
		return "data/" + rest
	}
	return ""
}

// from yields the values whose keys are after a key.
func from[T any](values []T, after string, keyOf func(T) string) iter.Seq2[T, error] {
	var rest []T
	for _, v := range values {
		if keyOf(v) > after {
			rest = append(rest, v)
		}
	}
	return sequence(nil, rest...)
}

func entryKey(e record.Entry) string     { return e.Key }
func rowKey(q record.Quarantined) string { return q.Key }
