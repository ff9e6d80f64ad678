//nolint:thelper // the funcs that run in bubbles are tests: failures must report their lines
package syncer_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/record"
	"syncd/internal/syncer/deletion"
)

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

func (w *world) wantCopiesIn(t *testing.T, store string, want ...string) {
	t.Helper()
	if store == "folder" {
		w.wantCopies(t, want...)
	} else if got := w.destination.Keys(); !slices.Equal(got, want) {
		t.Errorf("got copies %q, want %q", got, want)
	}
}

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

// restore puts objects back into the source as they were, as removing their delete markers does.
func (w *world) restore(objects map[string]time.Time) {
	for key, modified := range objects {
		w.source.Put(key, awsfake.BytesBody([]byte("x")), awsfake.PutOptions{LastModified: modified})
	}
}

// remove deletes the source objects from one number up to another, and returns when they were modified.
func (w *world) remove(from, to int) map[string]time.Time {
	removed := map[string]time.Time{}
	for i := from; i < to; i++ {
		object, _ := w.source.Object(name(i))
		removed[name(i)] = object.LastModified
		w.source.Delete(name(i))
	}
	return removed
}

// wantEveryCopy checks that every entry of a ledger in a folder has a copy, and that every object of the source
// has one.
func (w *world) wantEveryCopy(t *testing.T, store string) {
	t.Helper()
	copies := w.destination.Keys()
	entries := map[string]record.Entry{}
	if store == "folder" {
		entries = w.entries(t)
	}
	for key := range entries {
		if _, ok := slices.BinarySearch(copies, key); !ok {
			t.Fatalf("the ledger has an entry of %s, whose copy is gone", key)
		}
	}
	for _, key := range w.source.Keys() {
		if _, ok := slices.BinarySearch(copies, key); !ok {
			t.Fatalf("%s has no copy", key)
		}
	}
}

// hours runs passes, whatever their result, and lets an hour pass after each.
func (w *world) hours(t *testing.T, store string, passes int) {
	t.Helper()
	for range passes {
		p := w.start(t, store)
		_, _ = p.run(t)
		p.finish(t)
		time.Sleep(time.Hour)
	}
}

// TestDeletesThatAreNotCommitted kills or drains a process after it has deleted copies and recorded that,
// before the pass commits. Then objects come back as they were, deletes are turned off, or the settings
// change, so that the next pass starts again from the last generation. The test checks that the ledger does
// not keep entries of copies that are gone.
func TestDeletesThatAreNotCommitted(t *testing.T) {
	skipIfShort(t)
	ends := map[string]func(w *world, p *process) (stop func()){
		"killed at the second batch": func(w *world, p *process) func() {
			return w.cloud.Inject(awsfake.Fault{Operation: "DeleteObjects", Skip: 1, Do: p.kill})
		},
		"drained at the second batch": func(w *world, p *process) func() {
			return w.cloud.Inject(awsfake.Fault{Operation: "DeleteObjects", Skip: 1, Do: p.drain})
		},
		"killed while it commits": func(w *world, p *process) func() {
			sent := 0
			count := w.cloud.Inject(awsfake.Fault{Operation: "DeleteObjects", Do: func() { sent++ }})
			kill := w.cloud.Inject(awsfake.Fault{Operation: "PutObject", Bucket: stateBucket, Do: func() {
				if sent == 3 {
					p.kill()
				}
			}})
			return func() { count(); kill() }
		},
	}
	changes := map[string]func(w *world, removed map[string]time.Time){
		"off":      func(w *world, _ map[string]time.Time) { w.options.Delete = deletion.Settings{} },
		"restored": func(w *world, removed map[string]time.Time) { w.restore(removed) },
		"restored and off": func(w *world, removed map[string]time.Time) {
			w.restore(removed)
			w.options.Delete = deletion.Settings{}
		},
		"another class": func(w *world, _ map[string]time.Time) { w.copies.StorageClass = "STANDARD_IA" },
		"longer prefixes": func(w *world, removed map[string]time.Time) {
			w.restore(removed)
			w.copies.SourcePlace.Prefix, w.copies.DestinationPlace.Prefix = "k", "k"
		},
	}
	for end, arrange := range ends {
		for label, change := range changes {
			t.Run(end+", "+label, func(t *testing.T) {
				bubble(t, func(t *testing.T, w *world) {
					const n = 2500
					w.options.Delete = deletion.Settings{After: 1, MaxObjects: 5000, MaxPercent: 100}
					w.fill(n + 1)
					store := "folder"
					if end == "killed while it commits" {
						store = "S3"
					}
					w.passes(t, store, "first", 0)
					time.Sleep(time.Hour)
					removed := w.remove(0, n)
					p := w.start(t, store)
					stop := arrange(w, p)
					if got, err := p.run(t); err == nil {
						t.Fatalf("got %+v, want it interrupted", got)
					}
					p.finish(t)
					stop()
					if len(w.destination.Keys()) > n {
						t.Fatal("got no copy deleted")
					}
					time.Sleep(time.Hour)
					change(w, removed)
					w.hours(t, store, 3)
					w.wantEveryCopy(t, store)
				})
			})
		}
	}
}

// TestLimitAfterAPartialDelete drains a pass that has deleted some copies, and lowers the number of passes. It
// checks that the limit holds for the pass as a whole.
func TestLimitAfterAPartialDelete(t *testing.T) {
	skipIfShort(t)
	bubble(t, func(t *testing.T, w *world) {
		w.options.Delete = deletion.Settings{After: 2, MaxObjects: 2500, MaxPercent: 100}
		w.fill(5001)
		w.passes(t, "folder", "first", 0)
		time.Sleep(time.Hour)
		w.remove(0, 2000)
		w.hour(t, 0)
		w.remove(2000, 3500)
		p := w.start(t, "folder")
		stop := w.cloud.Inject(awsfake.Fault{Operation: "DeleteObjects", Do: p.drain})
		first, _ := p.run(t)
		p.finish(t)
		stop()
		w.options.Delete.After = 1
		plan, _ := w.preview(t)
		second := w.hour(t, 3)
		if first.Pass != second.Pass || first.Deleted == 0 || second.Deleted != 0 || second.Withheld != 3500-first.Deleted || plan.Withheld != second.Withheld {
			t.Errorf("got %+v, %+v, planned %+v, want the rest withheld", first, second, plan)
		}
	})
}

// TestRandomDeletes removes, restores and overwrites source objects at random, and kills, drains and disturbs
// processes that copy and delete. It checks that both sides are equal after some passes in peace.
func TestRandomDeletes(t *testing.T) {
	for seed := range *deleteSeeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				r := &randomDeletes{world: w, Rand: rand.New(rand.NewPCG(seed, 18)), removed: map[string]time.Time{}} //nolint:gosec // a test
				r.begin(t)
				for range 14 {
					time.Sleep([]time.Duration{time.Second, 10 * time.Minute, time.Hour}[r.IntN(3)])
					r.change()
					r.pass(t)
				}
				r.options.Delete = r.settings
				for range 5 {
					time.Sleep(2 * time.Hour)
					r.hours(t, "folder", 1)
				}
				r.wantEveryCopy(t, "folder")
				w.wantInStep(t)
				if t.Failed() {
					t.Log(strings.Join(r.trace, "\n"))
				}
			})
		})
	}
}

// deleteSeeds is the number of random runs of TestRandomDeletes.
var deleteSeeds = flag.Uint64("delete-seeds", 10, "number of random runs of TestRandomDeletes")

type randomDeletes struct {
	*world
	*rand.Rand
	removed  map[string]time.Time
	settings deletion.Settings
	trace    []string
}

// randomObjects is the number of objects of TestRandomDeletes.
const randomObjects = 12

func (r *randomDeletes) begin(t *testing.T) {
	t.Helper()
	r.destination.SetEncryption(r.key.ARN(), true)
	if r.IntN(3) == 0 {
		r.copies.ToS3 = func() bool { return false }
	}
	r.options.Ledger.FlushInterval = []time.Duration{time.Millisecond, 10 * time.Second}[r.IntN(2)]
	r.settings = deletion.Settings{After: 1 + r.Int64N(2), MaxObjects: 1000, MaxPercent: 100}
	r.options.Delete = r.settings
	r.fill(randomObjects)
	r.hours(t, "folder", 1)
}

// change changes some objects of the source.
func (r *randomDeletes) change() {
	for range 1 + r.IntN(3) {
		key := name(r.IntN(randomObjects))
		object, isThere := r.source.Object(key)
		switch modified, wasRemoved := r.removed[key]; {
		case isThere && r.IntN(2) == 0:
			r.removed[key] = object.LastModified
			r.source.Delete(key)
			r.trace = append(r.trace, "removed "+key)
		case !isThere && wasRemoved && r.IntN(2) == 0:
			r.restore(map[string]time.Time{key: modified})
			r.trace = append(r.trace, "restored "+key)
		case r.IntN(2) == 0:
			r.source.Put(key, awsfake.SyntheticBody(5, r.Uint64()), awsfake.PutOptions{})
			r.trace = append(r.trace, "put "+key)
		}
	}
}

// pass runs a pass that is disturbed at random.
func (r *randomDeletes) pass(t *testing.T) {
	t.Helper()
	r.options.Delete = r.settings
	if r.IntN(5) == 0 {
		r.options.Delete = deletion.Settings{}
	}
	p := r.start(t, "folder")
	defer p.finish(t)
	operation := []string{"DeleteObjects", "DeleteObjects", "CopyObject", "HeadObject"}[r.IntN(4)]
	fault := awsfake.Fault{Operation: operation, Bucket: "consumer-copy", Skip: r.IntN(2)}
	how := []string{"killed", "killed", "drained", "disturbed", "", ""}[r.IntN(6)]
	switch how {
	case "killed":
		fault.Do = p.kill
	case "drained":
		fault.Do = p.drain
	case "disturbed":
		kinds := []awsfake.FaultKind{awsfake.LoseAnswer, awsfake.InternalError, awsfake.Throttle, awsfake.CutBody}
		fault.Kind, fault.Times, fault.Skip = kinds[r.IntN(len(kinds))], r.IntN(3), 0
	}
	if how != "" {
		defer r.cloud.Inject(fault)()
	}
	got, err := p.run(t)
	r.trace = append(r.trace, fmt.Sprintf("  %s at %s, deletes %v: %+v, %v", how, operation, r.options.Delete.After > 0, got, err))
}
