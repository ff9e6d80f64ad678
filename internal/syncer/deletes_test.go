//nolint:thelper // the funcs that run in bubbles are tests: failures must report their lines
package syncer_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/internal/awsfake"
	fakestore "syncd/internal/awsfake/s3/store"
	"syncd/internal/plan"
	"syncd/internal/syncer"
	"syncd/internal/syncer/deletion"
)

// deleting runs a test in a bubble, with n objects that were copied by a first pass, and deletes on.
func deleting(t *testing.T, n int, do func(t *testing.T, w *world)) {
	t.Helper()
	bubble(t, func(t *testing.T, w *world) {
		w.options.Delete = deletion.Settings{After: 2, MaxObjects: 1000, MaxPercent: 100}
		w.fill(n)
		w.passes(t, "folder", "first", 0)
		time.Sleep(time.Hour)
		do(t, w)
	})
}

// hour runs a pass and lets an hour pass.
func (w *world) hour(t *testing.T, exit int) syncer.Summary {
	t.Helper()
	got := w.passes(t, "folder", "pass", exit)
	time.Sleep(time.Hour)
	return got
}

// wantCopies checks which copies exist, and that the ledger has an entry for each.
func (w *world) wantCopies(t *testing.T, want ...string) {
	t.Helper()
	if got := w.destination.Keys(); !slices.Equal(got, want) {
		t.Errorf("got copies %q, want %q", got, want)
	}
	entries := w.entries(t)
	for _, key := range want {
		if _, ok := entries[key]; !ok {
			t.Errorf("the ledger has no entry of %s", key)
		}
	}
	if len(entries) != len(want) {
		t.Errorf("got %d entries, want %d", len(entries), len(want))
	}
}

// TestDeletes deletes an object from the source. It checks that its copy is deleted by the second pass
// that does not list it, in a versioned bucket with a delete marker, that nothing more is sent after
// that, and that the object is copied again when it is back.
func TestDeletes(t *testing.T) {
	deleting(t, 3, func(t *testing.T, w *world) {
		w.source.Delete(name(1))
		if got := w.hour(t, 0); got.Deleted != 0 || got.Kept != 1 {
			t.Errorf("first pass: got %+v, want the copy kept", got)
		}
		w.wantCopies(t, name(0), name(1), name(2))
		if got := w.hour(t, 0); got.Deleted != 1 || got.Kept != 0 || got.Requests["DeleteObjects"] != 1 || got.Requests["HeadObject"] != 0 {
			t.Errorf("second pass: got %+v, want one copy deleted", got)
		}
		w.wantCopies(t, name(0), name(2))
		if v, m := len(w.destination.Versions(name(1))), len(w.destination.Markers(name(1))); v != 1 || m != 1 {
			t.Errorf("got %d versions and %d delete markers, want one of each", v, m)
		}
		if got := w.hour(t, 0); len(got.Requests) != 1 || got.Requests["ListObjectsV2"] != 1 {
			t.Errorf("third pass: got %v, want only a listing", got.Requests)
		}
		w.put(name(1))
		if got := w.hour(t, 0); got.Copied != 1 {
			t.Errorf("back: got %+v, want a copy", got)
		}
		w.wantInStep(t)
	})
}

// TestGraceBeginsAgain lists an object between two passes that do not. It checks that its copy is
// kept: passes in a row must miss it. The object is unchanged, filtered or in quarantine.
func TestGraceBeginsAgain(t *testing.T) {
	for label, present := range map[string]func(w *world) (end func()){
		"unchanged": func(*world) func() { return func() {} },
		"filtered": func(w *world) func() {
			w.options.Rules.Filter = plan.Filter{Exclude: []plan.Pattern{glob(name(1))}}
			return func() { w.options.Rules.Filter = plan.Filter{} }
		},
	} {
		t.Run(label, func(t *testing.T) {
			deleting(t, 3, func(t *testing.T, w *world) {
				object, _ := w.source.Object(name(1))
				for range 3 {
					w.source.Delete(name(1))
					if got := w.hour(t, 0); got.Deleted != 0 {
						t.Errorf("got %+v, want no deletes", got)
					}
					w.source.Put(name(1), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{LastModified: object.LastModified})
					end := present(w)
					if got := w.hour(t, 0); got.Deleted != 0 {
						t.Errorf("got %+v, want no deletes", got)
					}
					end()
				}
				w.wantCopies(t, name(0), name(1), name(2))
			})
		})
	}
}

// TestWithheldDeletes checks that a pass deletes nothing if more copies are due than a limit allows or
// if the source is empty, that it reports how many, and that the operator's confirmation allows exactly
// that many.
func TestWithheldDeletes(t *testing.T) {
	for label, tt := range map[string]struct {
		limits deletion.Settings
		gone   int
	}{
		"objects":      {deletion.Settings{After: 2, MaxObjects: 2, MaxPercent: 100}, 3},
		"percent":      {deletion.Settings{After: 2, MaxObjects: 1000, MaxPercent: 29}, 3},
		"empty source": {deletion.Settings{After: 2, MaxObjects: 1000, MaxPercent: 100}, 10},
	} {
		t.Run(label, func(t *testing.T) {
			deleting(t, 10, func(t *testing.T, w *world) {
				w.options.Delete = tt.limits
				for i := range tt.gone {
					w.source.Delete(name(i))
				}
				w.hour(t, 0)
				for range 2 {
					if got := w.hour(t, 3); got.Result != "undeleted" || got.Deleted != 0 || got.Withheld != int64(tt.gone) {
						t.Errorf("got %+v, want %d deletes withheld", got, tt.gone)
					}
				}
				if n := len(w.destination.Keys()); n != 10 || !strings.Contains(w.log.String(), "deletes withheld") {
					t.Errorf("got %d copies, want all; log:\n%s", n, w.log.String())
				}
				for _, allowed := range []int{tt.gone - 1, tt.gone} {
					want := int64(0)
					if allowed == tt.gone {
						want = int64(tt.gone)
					}
					p := w.start(t, "folder")
					got, err := p.Do(t.Context(), syncer.Order{AllowDeletes: int64(allowed)})
					if err != nil || got.Deleted != want {
						t.Errorf("%d allowed: got %+v, %v, want %d deleted", allowed, got, err, want)
					}
					p.finish(t)
				}
				if n := len(w.destination.Keys()); n != 10-tt.gone {
					t.Errorf("got %d copies, want %d", n, 10-tt.gone)
				}
			})
		})
	}
}

// recreating puts an object back into the source when its key is listed again before the delete.
type recreating struct {
	next http.RoundTripper
	put  func()
}

func (r *recreating) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Query().Get("start-after") != "" {
		r.put()
	}
	return r.next.RoundTrip(req)
}

// TestObjectThatReturnsBeforeTheDelete creates an object again after the pass has listed the source. It
// checks that its copy is kept.
func TestObjectThatReturnsBeforeTheDelete(t *testing.T) {
	deleting(t, 5, func(t *testing.T, w *world) {
		w.source.Delete(name(1))
		w.source.Delete(name(2))
		w.hour(t, 0)
		w.network = func(next http.RoundTripper) http.RoundTripper { return &recreating{next, func() { w.put(name(2)) }} }
		if got := w.hour(t, 0); got.Deleted != 1 || got.Undeleted["returned"] != 1 {
			t.Errorf("got %+v, want one copy deleted and one kept", got)
		}
		w.network = nil
		w.hour(t, 0)
		w.wantCopies(t, name(0), name(2), name(3), name(4))
		w.wantInStep(t)
	})
}

// TestFiltersAndPrefixesDeleteNothing checks that neither a filter nor a changed prefix deletes copies.
func TestFiltersAndPrefixesDeleteNothing(t *testing.T) {
	for label, change := range map[string]func(w *world){
		"filter":               func(w *world) { w.options.Rules.Filter = plan.Filter{Exclude: []plan.Pattern{glob("in/*")}} },
		"longer prefixes":      func(w *world) { w.copies.SourcePlace.Prefix, w.copies.DestinationPlace.Prefix = "in/", "in/" },
		"another source":       func(w *world) { w.copies.SourcePlace.Prefix = "in/" },
		"another destination":  func(w *world) { w.copies.DestinationPlace.Prefix = "out/" },
		"deletes are off":      func(w *world) { w.source.Delete(name(0)); w.options.Delete = deletion.Settings{} },
		"listing is not whole": func(w *world) { w.source.Delete(name(0)); w.failListings() },
	} {
		t.Run(label, func(t *testing.T) {
			deleting(t, 3, func(t *testing.T, w *world) {
				for i := range 3 {
					w.put("in/" + name(i))
				}
				w.hour(t, 0)
				before := w.destination.Keys()
				change(w)
				for range 4 {
					p := w.start(t, "folder")
					got, _ := p.run(t)
					p.finish(t)
					if got.Deleted != 0 || got.Withheld != 0 {
						t.Errorf("got %+v, want no deletes", got)
					}
					time.Sleep(time.Hour)
				}
				for _, key := range before {
					if _, ok := w.destination.Object(key); !ok {
						t.Errorf("%s was deleted", key)
					}
				}
			})
		})
	}
}

// failListings makes every listing of the source fail at its second page.
func (w *world) failListings() {
	w.source.Configure(func(set *fakestore.Settings) { set.PageKeys = 4 })
	w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Bucket: "owner-data", Skip: 1, Kind: awsfake.InternalError})
}

// TestPlanOfDeletes compares the plan of deletes with the pass that carries it out, also if the pass
// resumes one that was interrupted after it had listed everything.
func TestPlanOfDeletes(t *testing.T) {
	skipIfShort(t)
	for label, tt := range map[string]struct {
		max      int64
		isKilled bool
	}{"within limits": {max: 5000}, "withheld": {max: 10}, "resumed": {max: 5000, isKilled: true}} {
		t.Run(label, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				const n = 2500
				w.options.Delete = deletion.Settings{After: 1, MaxObjects: tt.max, MaxPercent: 100}
				w.fill(n)
				w.passes(t, "folder", "first", 0)
				time.Sleep(time.Hour)
				for i := range n {
					if i > 600 && i < 1900 || i%200 == 0 { // more than one batch of neighbours, and single keys
						w.source.Delete(name(i))
					}
				}
				w.options.Destination = nil
				if tt.isKilled {
					w.killedAt(t, "folder", "DeleteObjects", "", nil)
				}
				plan, _ := w.preview(t)
				p := w.start(t, "folder")
				got, err := p.run(t)
				p.finish(t)
				if tt.isKilled {
					got.Deleted += 1000 // by the request of the killed process, so these copies are absent
				}
				if err != nil || plan.Delete != got.Deleted || plan.Withheld != got.Withheld || plan.Delete+plan.Withheld == 0 {
					t.Errorf("got %d deleted and %d withheld, %v, want %d and %d as planned", got.Deleted, got.Withheld, err, plan.Delete, plan.Withheld)
				}
				if got.Requests["DeleteObjects"] != plan.Requests["DeleteObjects"] || !tt.isKilled && got.Requests["ListObjectsV2"] != plan.Requests["ListObjectsV2"] {
					t.Errorf("got %v, want %v as planned", got.Requests, plan.Requests)
				}
			})
		})
	}
}
