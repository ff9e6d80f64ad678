//nolint:thelper // the funcs that run in bubbles are tests: failures must report their lines
package syncer_test

import (
	"encoding/xml"
	"flag"
	"fmt"
	"io"
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

// TestForeignObjectsAreNotDeleted overwrites a copy, and puts an object next to the copies. It checks
// that neither is deleted when the source objects are gone.
func TestForeignObjectsAreNotDeleted(t *testing.T) {
	deleting(t, 3, func(t *testing.T, w *world) {
		w.source.Delete(name(1))
		for _, key := range []string{name(1), name(5)} {
			w.destination.Put(key, awsfake.BytesBody([]byte("of another writer")), awsfake.PutOptions{})
		}
		w.hour(t, 0)
		if got := w.hour(t, 0); got.Deleted != 0 || got.Undeleted["overwritten"] != 1 {
			t.Errorf("got %+v, want one copy overwritten", got)
		}
		if got := w.hour(t, 0); len(got.Requests) != 1 {
			t.Errorf("got %v, want only a listing", got.Requests)
		}
		if got := w.destination.Keys(); !slices.Equal(got, []string{name(0), name(1), name(2), name(5)}) {
			t.Errorf("got %q, want all objects", got)
		}
	})
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

// TestRefusedDeletes denies the deletes of one key. It checks that the other copies are deleted, that
// the pass reports the refusal, and that a later pass deletes the copy.
func TestRefusedDeletes(t *testing.T) {
	deleting(t, 4, func(t *testing.T, w *world) {
		repair := w.deny(w.destination, name(1), "s3:DeleteObject")
		w.source.Delete(name(1))
		w.source.Delete(name(2))
		w.hour(t, 0)
		if got := w.hour(t, 3); got.Deleted != 1 || got.Undeleted["refused"] != 1 {
			t.Errorf("got %+v, want one copy deleted and one refused", got)
		}
		repair()
		if got := w.hour(t, 0); got.Deleted != 1 {
			t.Errorf("got %+v, want the other copy deleted", got)
		}
		w.wantCopies(t, name(0), name(3))
	})
}

// TestKeysThatXMLCannotName deletes copies whose keys have control characters.
func TestKeysThatXMLCannotName(t *testing.T) {
	deleting(t, 1, func(t *testing.T, w *world) {
		odd := []string{"a\x01b", "a\rb", "tab\tkey", "\U0010ffff", "a<&>\"'b"}
		for _, key := range odd {
			w.put(key)
		}
		w.hour(t, 0)
		for _, key := range odd {
			w.source.Delete(key)
		}
		w.hour(t, 0)
		if got := w.hour(t, 0); got.Deleted != int64(len(odd)) {
			t.Errorf("got %+v, want %d deleted", got, len(odd))
		}
		w.wantCopies(t, name(0))
	})
}

// TestKilledDeletes kills processes while they delete copies. It checks that the next process deletes
// the rest, and that each copy gets one delete marker.
func TestKilledDeletes(t *testing.T) {
	for _, kind := range stores() {
		t.Run(kind, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				const n = 2500
				w.options.Delete = deletion.Settings{After: 1, MaxObjects: 5000, MaxPercent: 100}
				w.options.Ledger.FlushInterval = time.Millisecond
				w.fill(n + 1)
				w.passes(t, kind, "first", 0)
				time.Sleep(time.Hour)
				for i := range n {
					w.source.Delete(name(i))
				}
				for range 2 {
					w.killedAt(t, kind, "DeleteObjects", "", nil)
					time.Sleep(time.Hour)
				}
				w.passes(t, kind, "last", 0)
				w.wantCopiesIn(t, kind, name(n))
				for i := range n {
					if n := len(w.destination.Markers(name(i))); n != 1 {
						t.Fatalf("%s: got %d delete markers, want 1", name(i), n)
					}
				}
			})
		})
	}
}

// TestFalseAnswersToDeletes answers deletes falsely, always or once. It checks that a pass reports
// success only if the copy is gone.
func TestFalseAnswersToDeletes(t *testing.T) {
	for _, kind := range append(awsfake.Lies(), awsfake.LoseAnswer, awsfake.CutBody, awsfake.InternalError, awsfake.Throttle, awsfake.ErrorIn200, awsfake.AccessDenied) {
		for _, times := range []int{1, 0} {
			t.Run(fmt.Sprint(kind, times), func(t *testing.T) {
				deleting(t, 3, func(t *testing.T, w *world) {
					w.source.Delete(name(1))
					w.hour(t, 0)
					mend := w.cloud.Inject(awsfake.Fault{Operation: "DeleteObjects", Kind: kind, Times: times})
					p := w.start(t, "folder")
					got, err := p.run(t)
					p.finish(t)
					_, isThere := w.destination.Object(name(1))
					if err == nil && got.Exit == 0 && isThere {
						t.Errorf("got %+v, want the copy deleted", got)
					}
					mend()
					time.Sleep(time.Hour)
					w.hour(t, 0)
					w.hour(t, 0) // a pass after an unclear answer only checks the copy
					w.wantCopies(t, name(0), name(2))
					if n := len(w.destination.Markers(name(1))); n != 1 {
						t.Errorf("got %d delete markers, want 1", n)
					}
				})
			})
		}
	}
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

func (w *world) wantCopiesIn(t *testing.T, store string, want ...string) {
	t.Helper()
	if store == "folder" {
		w.wantCopies(t, want...)
	} else if got := w.destination.Keys(); !slices.Equal(got, want) {
		t.Errorf("got copies %q, want %q", got, want)
	}
}

// TestDeletesAreFast deletes many copies, of neighbours or of keys between those of other objects, at
// 20 ms a request. It checks the rate: S3 accepts 3,500 keys a second.
func TestDeletesAreFast(t *testing.T) {
	skipIfShort(t)
	for label, every := range map[string]int{"neighbours": 1, "scattered": 2} {
		t.Run(label, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				n := *deletes
				w.options.Delete = deletion.Settings{After: 1, MaxObjects: int64(n), MaxPercent: 100}
				w.fill(n*every + 1)
				w.passes(t, "S3", "first", 0)
				for i := range n {
					w.source.Delete(name(i * every))
				}
				w.cloud.SetLatency(20 * time.Millisecond)
				var sent []time.Time
				w.cloud.Inject(awsfake.Fault{Operation: "DeleteObjects", Do: func() { sent = append(sent, time.Now()) }})
				got := w.passes(t, "S3", "second", 0)
				rate := 1000 * float64(len(sent)-1) / sent[len(sent)-1].Sub(sent[0]).Seconds()
				t.Logf("%d deletes, %.0f a second, %d listings", got.Deleted, rate, got.Requests["ListObjectsV2"])
				if got.Deleted != int64(n) || rate < 3000 || rate > 3500 {
					t.Errorf("got %+v, %.0f a second, want 3,000 to 3,500", got, rate)
				}
			})
		})
	}
}

// deletes is the number of deletes in TestDeletesAreFast.
var deletes = flag.Int("deletes", 8000, "number of deletes in TestDeletesAreFast")

// TestLostAnswerToADelete kills a process after the destination has carried out its deletes, and then
// turns deletes off. It checks that the ledger does not keep an entry of a copy that is gone, even if the
// next process begins an hour later.
func TestLostAnswerToADelete(t *testing.T) {
	for _, pause := range []time.Duration{time.Second, time.Hour} {
		t.Run(pause.String(), func(t *testing.T) {
			deleting(t, 3, func(t *testing.T, w *world) {
				w.source.Delete(name(1))
				w.hour(t, 0)
				w.killedAt(t, "folder", "DeleteObjects", "", nil)
				if n := len(w.destination.Markers(name(1))); n != 1 {
					t.Fatalf("got %d delete markers, want the delete of the killed process", n)
				}
				w.options.Delete = deletion.Settings{}
				time.Sleep(pause)
				w.hour(t, 0) // commits what the killed process had settled
				w.hour(t, 0)
				w.wantCopies(t, name(0), name(2))
			})
		})
	}
}

// TestRestartsDoNotCount kills processes during the first pass that misses an object, after it has saved.
// It checks that the copy is kept until another pass has missed it.
func TestRestartsDoNotCount(t *testing.T) {
	deleting(t, 10, func(t *testing.T, w *world) {
		w.options.Delete.After = 3
		w.options.Ledger.FlushInterval = time.Millisecond
		w.source.Delete(name(1))
		for i := range 4 {
			w.source.Put(name(9), awsfake.SyntheticBody(1, uint64(i)), awsfake.PutOptions{})
			p := w.start(t, "folder")
			w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Do: func() { time.Sleep(time.Minute); p.kill() }, Times: 1})
			if got, err := p.run(t); err == nil {
				t.Fatalf("got %+v, want it killed", got)
			}
			p.finish(t)
		}
		for pass := range 3 {
			want := int64(pass / 2) // the last of three passes deletes
			if got := w.hour(t, 0); got.Deleted != want {
				t.Errorf("pass %d: got %+v, want %d deleted", pass+1, got, want)
			}
		}
	})
}

// TestLimitsAfterALowerGrace lowers the number of passes between a kill and the pass that resumes. It
// checks that the limits apply to all copies that are now due.
func TestLimitsAfterALowerGrace(t *testing.T) {
	deleting(t, 20, func(t *testing.T, w *world) {
		w.options.Delete = deletion.Settings{After: 2, MaxObjects: 2, MaxPercent: 100}
		w.source.Delete(name(0))
		w.hour(t, 0)
		for i := range 10 {
			w.source.Delete(name(i))
		}
		w.killedAt(t, "folder", "DeleteObjects", "", nil)
		w.options.Delete.After = 1
		if got := w.hour(t, 3); got.Deleted != 0 || got.Withheld != 10 {
			t.Errorf("got %+v, want 10 deletes withheld", got)
		}
	})
}

// TestDeniedDeletes denies all deletes. It checks that the pass commits, tries only one batch, and counts
// every copy.
func TestDeniedDeletes(t *testing.T) {
	skipIfShort(t)
	deleting(t, 3500, func(t *testing.T, w *world) {
		w.options.Delete = deletion.Settings{After: 1, MaxObjects: 5000, MaxPercent: 100}
		repair := w.deny(w.destination, "*", "s3:DeleteObject")
		for i := 1; i < 3500; i++ {
			w.source.Delete(name(i))
		}
		w.put("z")
		got := w.hour(t, 3)
		if got.Result != "undeleted" || got.Undeleted["refused"] != 3499 || got.Copied != 1 || got.Requests["DeleteObjects"] > 3 {
			t.Errorf("got %+v, want all deletes refused after at most 3 requests", got)
		}
		repair()
		if got := w.hour(t, 0); got.Deleted != 3499 {
			t.Errorf("got %+v, want all deleted", got)
		}
		w.wantCopies(t, name(0), "z")
	})
}

// TestResumedPassOverAnEmptySource kills a process that has listed objects, and removes the rest. It checks
// that the source does not count as empty, and that a source without any object does.
func TestResumedPassOverAnEmptySource(t *testing.T) {
	for label, want := range map[string]int64{"some were listed": 8, "none was listed": 0} {
		t.Run(label, func(t *testing.T) {
			deleting(t, 9, func(t *testing.T, w *world) {
				w.options.Delete = deletion.Settings{After: 1, MaxObjects: 100, MaxPercent: 100}
				for i := range 9 {
					if i > 0 || want == 0 {
						w.source.Delete(name(i))
					}
				}
				if want > 0 {
					w.killedAt(t, "folder", "DeleteObjects", "", nil)
					w.source.Delete(name(0))
					if got := w.hour(t, 0); got.Withheld != 0 {
						t.Errorf("got %+v, want nothing withheld", got)
					}
					w.wantCopies(t, name(0))
				} else if got := w.hour(t, 3); got.Withheld != 9 {
					t.Errorf("got %+v, want the deletes withheld", got)
				}
			})
		})
	}
}

// TestBusyKeys answers that the service is too busy for single keys. It checks that they are sent again,
// and that the keys are listed again before that.
func TestBusyKeys(t *testing.T) {
	deleting(t, 5, func(t *testing.T, w *world) {
		w.source.Delete(name(1))
		w.source.Delete(name(2))
		w.hour(t, 0)
		w.network = func(next http.RoundTripper) http.RoundTripper {
			return &busyKeys{next: next, times: 2, before: func() { w.put(name(2)) }}
		}
		got := w.hour(t, 0)
		if got.Deleted != 1 || got.Undeleted["returned"] != 1 || got.Requests["DeleteObjects"] != 3 {
			t.Errorf("got %+v, want one copy deleted with the third request, and one kept", got)
		}
		w.network = nil
		w.hour(t, 0)
		w.wantCopies(t, name(0), name(2), name(3), name(4))
	})
}

// busyKeys answers a number of DeleteObjects requests with SlowDown for each key.
type busyKeys struct {
	next   http.RoundTripper
	times  int
	before func()
}

func (b *busyKeys) RoundTrip(req *http.Request) (*http.Response, error) {
	if !req.URL.Query().Has("delete") || b.times == 0 {
		return b.next.RoundTrip(req)
	}
	b.times--
	b.before()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	var sent struct {
		Object []struct{ Key string }
	}
	if err := xml.Unmarshal(body, &sent); err != nil {
		return nil, err
	}
	answer := "<DeleteResult>"
	for _, o := range sent.Object {
		answer += "<Error><Key>" + o.Key + "</Key><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
	}
	answer += "</DeleteResult>"
	return &http.Response{
		StatusCode: 200, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req, ContentLength: int64(len(answer)),
		Header: http.Header{"X-Amz-Request-Id": {fmt.Sprint("BUSY", b.times)}, "Date": {time.Now().UTC().Format(http.TimeFormat)}}, Body: io.NopCloser(strings.NewReader(answer)),
	}, nil
}
