package checkpoint_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
)

func TestReserveWaitsForTheWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := options()
		o.Window = 3
		pass := begin(t, openLedger(t, checkpointtest.NewMemory(), o))
		oldest := reserve(t, pass, "a")
		reserve(t, pass, "b").Drop()
		reserve(t, pass, "c").Drop()
		done := false
		var group sync.WaitGroup
		group.Go(func() {
			reserve(t, pass, "d").Drop()
			done = true
		})
		synctest.Wait()
		if done {
			t.Fatal("got a fourth slot ahead of the mark, want Reserve to wait")
		}
		oldest.Drop()
		group.Wait()

		stuck := reserve(t, pass, "e")
		reserve(t, pass, "f")
		reserve(t, pass, "g")
		ctx, cancel := context.WithCancel(t.Context())
		group.Go(func() {
			if _, err := pass.Reserve(ctx, "h"); !errors.Is(err, context.Canceled) {
				t.Errorf("reserve: got %v, want %v", err, context.Canceled)
			}
		})
		synctest.Wait()
		cancel()
		group.Wait()

		group.Go(func() {
			if _, err := pass.Reserve(t.Context(), "h"); !errors.Is(err, checkpoint.ErrPassEnded) {
				t.Errorf("reserve: got %v, want %v", err, checkpoint.ErrPassEnded)
			}
		})
		synctest.Wait()
		if err := pass.Abandon(t.Context()); err != nil {
			t.Errorf("abandon: %v", err)
		}
		group.Wait()
		stuck.Drop()
	})
}

// TestMemoryIsBoundedWithoutFlush checks that Reserve saves the pass if Flush is never called.
func TestMemoryIsBoundedWithoutFlush(t *testing.T) {
	t.Parallel()
	store, created := counting(checkpointtest.NewMemory())
	o := options()
	o.Window = 50
	pass := begin(t, openLedger(t, store, o))
	for i := range 1000 {
		reserve(t, pass, key(i)).Record(entry(key(i), "1"))
	}
	progress := 0
	for _, name := range *created {
		if strings.HasPrefix(name, "progress-") {
			progress++
		}
	}
	if progress != 19 {
		t.Errorf("saved %d times, want 19: once per 50 changes", progress)
	}
}

func TestMisuseFailsThePass(t *testing.T) {
	t.Parallel()
	base := entry("base", "1")
	for _, test := range []struct {
		name string
		use  func(t *testing.T, pass *solo)
		want string
	}{
		{"settled twice", func(t *testing.T, pass *solo) {
			t.Helper()
			slot := reserve(t, pass, "base")
			slot.Carry(base)
			slot.Drop()
		}, "settled twice"},
		{"another key", func(t *testing.T, pass *solo) {
			t.Helper()
			reserve(t, pass, "base").Record(entry("other", "1"))
		}, "not for key"},
		{"carried without a base", func(t *testing.T, pass *solo) {
			t.Helper()
			reserve(t, pass, "alien").Carry(entry("alien", "1"))
		}, "no entry to keep"},
		{"kept without a base", func(t *testing.T, pass *solo) {
			t.Helper()
			reserve(t, pass, "alien").Quarantine(quarantined("alien", "1"), &base)
		}, "no entry to keep"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			store := checkpointtest.NewMemory()
			ledger := openLedger(t, store, options())
			recordAll(t, ledger, "base")
			pass := begin(t, ledger)
			test.use(t, pass)
			if _, err := pass.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("commit: got %v, want %q", err, test.want)
			}
			if _, err := pass.Reserve(t.Context(), "z"); err == nil {
				t.Error("reserve: got no error from a pass that failed")
			}
			if err := pass.Flush(t.Context()); err == nil {
				t.Error("flush: got no error from a pass that failed")
			}
			if got := carryRest(t, begin(t, ledger), nil); got != 2 {
				t.Errorf("next pass: got generation %d, want 2", got)
			}
		})
	}
}

func TestReserveRefuses(t *testing.T) {
	t.Parallel()
	ledger := openLedger(t, checkpointtest.NewMemory(), options())
	recordAll(t, ledger, "b", "d")
	pass := begin(t, ledger)
	slots := map[string]*checkpoint.Slot{}
	for _, step := range []struct{ key, want string }{
		{"", "not above"}, {"a", ""}, {"a", "not above"}, {"A", "not above"}, {"b", ""}, {"d", ""},
	} {
		slot, err := pass.Reserve(t.Context(), step.key)
		if got := fmt.Sprint(err); !strings.Contains(got, step.want) || (step.want == "") != (err == nil) {
			t.Errorf("reserve %q: got %v, want %q", step.key, err, step.want)
		}
		if err == nil {
			slots[step.key] = slot
		}
	}
	if _, err := pass.Pass.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), `3 keys from "a" on`) {
		t.Errorf("commit: got %v, want an error that names the unsettled keys", err)
	}
	for _, slot := range slots {
		slot.Drop()
	}
	if _, err := pass.Pass.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), "were not walked to their ends") {
		t.Errorf("commit: got %v, want an error that names the range that was not walked to its end", err)
	}
	pass.walk.End("")
	if _, err := pass.Reserve(t.Context(), "z"); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("reserve after the end of the walk: got %v, want an error", err)
	}
	commit(t, pass) // the errors had no effect
}

func TestOnePassAtATime(t *testing.T) {
	t.Parallel()
	ledger := openLedger(t, checkpointtest.NewMemory(), options())
	pass := begin(t, ledger)
	if _, err := ledger.Begin(t.Context()); err == nil {
		t.Error("begin: got a second pass while the first is running")
	}
	commit(t, pass)
	commit(t, begin(t, ledger))
}

// TestManyGoroutinesSettle checks the ledger after many goroutines have settled keys concurrently,
// for the race detector. It uses a store in a real folder.
func TestManyGoroutinesSettle(t *testing.T) {
	t.Parallel()
	store := openFile(t, t.TempDir())
	o := options()
	o.Window, o.FlushEntries = 64, 100
	ledger := openLedger(t, store, o)
	for generation := range 2 {
		pass := begin(t, ledger)
		slots := make(chan *checkpoint.Slot)
		keys := make(map[*checkpoint.Slot]string)
		var mu sync.Mutex
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for slot := range slots {
					mu.Lock()
					k := keys[slot]
					delete(keys, slot)
					mu.Unlock()
					if generation == 1 && k[len(k)-1] != '0' {
						slot.Carry(entry(k, "0"))
					} else {
						slot.Record(entry(k, fmt.Sprint(generation)))
					}
				}
			})
		}
		for i := range 2000 {
			slot := reserve(t, pass, key(i))
			mu.Lock()
			keys[slot] = key(i)
			mu.Unlock()
			slots <- slot
			if pass.Due() {
				flush(t, pass)
			}
		}
		close(slots)
		group.Wait()
		commit(t, pass)
	}
	for k, etag := range etags(t, store) {
		if want := map[bool]string{true: "1", false: "0"}[k[len(k)-1] == '0']; etag != want {
			t.Errorf("entry %q: got %q, want %q", k, etag, want)
		}
	}
	if ledger.Entries() != 2000 {
		t.Errorf("got %d entries, want 2000", ledger.Entries())
	}
}

// TestResumeInALargeChunk checks that a pass can be resumed at the edges of row groups and between
// them.
func TestResumeInALargeChunk(t *testing.T) {
	t.Parallel()
	const rows = 30_000
	store := checkpointtest.NewMemory()
	ledger := openLedger(t, store, options())
	recordAll(t, ledger, keysTo(rows)...)
	if got := len(ledger.Manifest().Runs[0].Chunks); got != 1 {
		t.Fatalf("got %d chunks, want one", got)
	}
	for _, at := range []int{0, 1, 2047, 2048, 2049, 15_000, 28_672, rows - 2, rows - 1} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			t.Parallel()
			copied := store.Clone()
			pass := begin(t, openLedger(t, copied, options()))
			for i := range at + 1 {
				slot := reserve(t, pass, key(i))
				if i == at {
					slot.Record(entry(key(i), "2"))
				} else {
					slot.Carry(entry(key(i), "1"))
				}
			}
			flush(t, pass)
			killed := copied.Clone()
			next := openLedger(t, killed, options())
			resumed := begin(t, next)
			i := at
			for e, err := range resumed.Previous(t.Context()) {
				if i++; err != nil || e.Key != key(i) {
					t.Fatalf("previous: got %q, %v, want %q", e.Key, err, key(i))
				}
				reserve(t, resumed, e.Key).Carry(e)
			}
			commit(t, resumed)
			if next.Entries() != rows || i != rows-1 {
				t.Errorf("got %d entries after resuming up to %d, want %d", next.Entries(), i, rows)
			}
		})
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	o := options()
	clock := epoch
	o.Now = func() time.Time { return clock }
	o.FlushInterval, o.FlushEntries = 10*time.Second, 3
	pass := begin(t, openLedger(t, checkpointtest.NewMemory(), o))
	wantDue := func(what string, want bool) {
		t.Helper()
		if got := pass.Due(); got != want {
			t.Errorf("%s: due is %t, want %t", what, got, want)
		}
	}
	clock = clock.Add(time.Hour)
	wantDue("nothing settled", false)
	hole := reserve(t, pass, "a")
	reserve(t, pass, "b").Record(entry("b", "1"))
	wantDue("settled above a hole", true)
	flush(t, pass)
	wantDue("saved above a hole", false)
	clock = clock.Add(time.Hour)
	wantDue("nothing since", false)
	hole.Drop()
	wantDue("the mark alone, after an hour", true)
	flush(t, pass)
	wantDue("flushed", false)
	reserve(t, pass, "c").Record(entry("c", "1"))
	wantDue("one change at once", false)
	reserve(t, pass, "d").Quarantine(quarantined("d", "1"), nil)
	reserve(t, pass, "e").Record(entry("e", "1"))
	wantDue("as many as FlushEntries", true)
	flush(t, pass)
	reserve(t, pass, "f").Record(entry("f", "1"))
	clock = clock.Add(10 * time.Second)
	wantDue("the interval later", true)
}
