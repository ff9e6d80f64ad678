package checkpoint_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// takenOver opens a ledger after taking its lease from the current holder.
func takenOver(t *testing.T, memory *checkpointtest.Memory) *checkpoint.Ledger {
	t.Helper()
	memory.TakeLease(mapping)
	return openLedger(t, memory, options())
}

// atManifest returns a store that calls interrupt once, after the last check of the lease and
// before the manifest is created.
func atManifest(memory *checkpointtest.Memory, interrupt func()) store.Store {
	done := false
	return &checkpointtest.Faulty{Store: memory, Before: func(operation, name string) error {
		if operation == "create" && strings.Contains(name, "/manifest-") && !done {
			done = true
			interrupt()
		}
		return nil
	}}
}

func wantGenerations(t *testing.T, store store.Store, want ...string) {
	t.Helper()
	var got []string
	names, err := store.List(t.Context(), mapping+"/manifest-")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		got = append(got, strings.TrimPrefix(name, mapping+"/manifest-00000000"))
	}
	for i := range want {
		want[i] += ".json"
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("manifests (-want +got):\n%s", diff)
	}
}

// TestFenceResumesTheSavedPass checks that the pass of a previous holder is resumed after a
// takeover, from different points of that pass.
func TestFenceResumesTheSavedPass(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		committed  bool
		saved      bool
		generation int64
		pass       int64
	}{
		{"nothing at all", false, false, 0, 2},
		{"a first pass", false, true, 0, 2},
		{"a generation", true, false, 2, 3},
		{"a generation and a pass", true, true, 2, 3},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			memory := checkpointtest.NewMemory()
			first := openLedger(t, memory, options())
			want := map[string]string{}
			if test.committed {
				recordAll(t, first, key(0), key(1))
				want = map[string]string{key(0): "1", key(1): "1"}
			}
			pass, mark := begin(t, first), ""
			if test.saved {
				reserve(t, pass, key(0)).Record(entry(key(0), "2"))
				flush(t, pass)
				mark = key(0)
			}
			// Two holders take over, and each dies before it saves anything.
			takenOver(t, memory)
			takenOver(t, memory)
			last := takenOver(t, memory)
			if got := last.Generation(); test.committed != (got > 0) || int64(len(want)) != last.Entries() {
				t.Errorf("got generation %d of %d entries, want a generation: %t, of %d", got, last.Entries(), test.committed, len(want))
			}
			if progress, ok, err := record.Unfinished(t.Context(), memory, mapping); err != nil || ok != test.saved {
				t.Errorf("unfinished: got %+v, %t, %v, want %t", progress, ok, err, test.saved)
			}
			next := begin(t, last)
			if next.Mark() != mark || next.Resumed() != test.saved || next.Number() != test.pass+2 {
				t.Errorf("got pass %d after %q, want %d after %q", next.Number(), next.Mark(), test.pass+2, mark)
			}
			if test.saved {
				want[key(0)] = "2"
			}
			for i := range 2 {
				if key(i) > mark {
					reserve(t, next, key(i)).Record(entry(key(i), "3"))
					want[key(i)] = "3"
				}
			}
			commit(t, next)
			if diff := cmp.Diff(want, etags(t, memory)); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}
}

// TestFencedWriterCommitsNothing suspends a writer between its last check of the lease and the
// write of the manifest, while other processes take over and continue. It checks that the writer's
// commit is rejected.
func TestFencedWriterCommitsNothing(t *testing.T) {
	t.Parallel()
	// The other process commits this many generations while the writer is suspended. After 7
	// generations the manifest with the suspended writer's number is deleted, so that the writer
	// could create a manifest with this number.
	for _, generations := range []int{0, 1, 2, 3, 7} {
		t.Run(fmt.Sprint(generations), func(t *testing.T) {
			t.Parallel()
			memory := checkpointtest.NewMemory()
			recordAll(t, openLedger(t, memory, options()), "a", "b")
			var last *checkpoint.Ledger
			var want map[string]string
			memory.TakeLease(mapping) // takes the lease of the first ledger, which is unused now
			slow := openLedger(t, atManifest(memory, func() {}), options())
			if slow.Generation() != 2 {
				t.Fatalf("generation: got %d, want the fence, 2", slow.Generation())
			}
			if err := slow.Close(); err != nil {
				t.Fatal(err)
			}
			slow = openLedger(t, atManifest(memory, func() {
				last = takenOver(t, memory)
				for n := range generations {
					carryRest(t, begin(t, last), map[string]func(*checkpoint.Slot){
						"b": func(s *checkpoint.Slot) { s.Record(entry("b", fmt.Sprint("next", n))) },
					})
				}
				want = etags(t, memory)
			}), options())
			pass := begin(t, slow)
			reserve(t, pass, "a").Record(entry("a", "stale"))
			reserve(t, pass, "b").Record(entry("b", "stale"))
			if _, err := pass.Commit(t.Context()); !errors.Is(err, store.ErrSuperseded) {
				t.Errorf("commit: got %v, want %v", err, store.ErrSuperseded)
			}
			for range 2 {
				if _, err := slow.Begin(t.Context()); !errors.Is(err, store.ErrSuperseded) {
					t.Errorf("begin: got %v, want %v", err, store.ErrSuperseded)
				}
			}
			if diff := cmp.Diff(want, etags(t, memory)); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
			carryRest(t, begin(t, last), nil)
			if err := last.Close(); err != nil {
				t.Fatal(err)
			}
			o := options()
			log := warnings(&o)
			if reopened := openLedger(t, memory, o); reopened.Entries() != 2 || strings.Contains(log.String(), "damaged") {
				t.Errorf("reopened: got %d entries, want 2: %s", reopened.Entries(), log)
			}
		})
	}
}

// TestFenceOfASuspendedHolder suspends a holder after it has taken over and before it writes its
// fence, while another process takes over. It checks that the suspended holder does not fence off
// the new holder.
func TestFenceOfASuspendedHolder(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	recordAll(t, openLedger(t, memory, options()), "a")
	memory.TakeLease(mapping)
	_, err := checkpoint.Open(t.Context(), atManifest(memory, func() { takenOver(t, memory) }), options())
	if !errors.Is(err, store.ErrSuperseded) {
		t.Errorf("open: got %v, want %v", err, store.ErrSuperseded)
	}
	wantGenerations(t, memory, "01", "02")
}

// TestFenceMeetsACommit checks that the new holder fences with the next number if the previous
// holder commits just before the fence.
func TestFenceMeetsACommit(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	first := openLedger(t, memory, options())
	recordAll(t, first, "a")
	pass := begin(t, first)
	reserve(t, pass, "a").Record(entry("a", "2"))
	copyOf := memory.Clone()
	var other store.Store = &checkpointtest.Faulty{Store: memory}
	slow := atManifest(memory, func() {
		// The memory store checks the lease at every write. So another ledger makes the commit, as
		// if the previous holder had checked the lease earlier.
		earlier := openLedger(t, copyOf, options())
		again := begin(t, earlier)
		reserve(t, again, "a").Record(entry("a", "2"))
		commit(t, again)
		names, err := copyOf.List(t.Context(), mapping+"/")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			data, err := copyOf.Read(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			if err := checkpointtest.Put(t.Context(), other, name, string(data)); err != nil && !strings.Contains(err.Error(), "exist") {
				t.Fatal(err)
			}
		}
	})
	memory.TakeLease(mapping)
	second := openLedger(t, slow, options())
	if second.Generation() != 3 || !second.Manifest().Fence {
		t.Errorf("got generation %d, want the fence, 3, after the commit of 2", second.Generation())
	}
	if diff := cmp.Diff(map[string]string{"a": "2"}, etags(t, memory)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if _, err := pass.Commit(t.Context()); !errors.Is(err, store.ErrLeaseLost) {
		t.Errorf("commit: got %v, want %v", err, store.ErrLeaseLost)
	}
}

// TestFenceThatFails checks that if writing the fence fails, the next holder writes it.
func TestFenceThatFails(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	recordAll(t, openLedger(t, memory, options()), "a")
	memory.TakeLease(mapping)
	faulty := &checkpointtest.Faulty{Store: memory, Before: func(string, string) error { return checkpointtest.ErrBroken }}
	if _, err := checkpoint.Open(t.Context(), faulty, options()); !errors.Is(err, checkpointtest.ErrBroken) {
		t.Fatalf("open: got %v, want %v", err, checkpointtest.ErrBroken)
	}
	wantGenerations(t, memory, "01")
	ledger := openLedger(t, memory, options())
	wantGenerations(t, memory, "01", "02")
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	openLedger(t, memory, options())
	wantGenerations(t, memory, "01", "02") // the lease was released
}

// TestFencesPushOutNoGeneration checks that generations stay readable if processes die repeatedly
// right after they start.
func TestFencesPushOutNoGeneration(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	first := openLedger(t, memory, options())
	for range 3 {
		recordAll(t, first, "a")
	}
	for range 5 {
		takenOver(t, memory)
	}
	last := takenOver(t, memory)
	m := last.Manifest()
	if m.Generation != 9 || m.Base != 8 || m.Pass != 3 || !m.Fence || len(m.Repeats) != 6 {
		t.Errorf("got %+v, want generation 9 on 8, which repeats pass 3", m)
	}
	recordAll(t, last, "a")
	wantGenerations(t, memory, "02", "03", "10")
}

func TestFenceOfNothing(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	openLedger(t, memory, options())
	ledger := takenOver(t, memory)
	wantGenerations(t, memory, "01")
	if got := ledger.Manifest(); ledger.Generation() != 0 || got.Generation != 0 {
		t.Errorf("got generation %d and manifest %+v, want none", ledger.Generation(), got)
	}
	if _, err := record.Latest(t.Context(), memory, mapping); !errors.Is(err, record.ErrNoCheckpoint) {
		t.Errorf("latest: got %v, want %v", err, record.ErrNoCheckpoint)
	}
	recordAll(t, ledger, "a")
	if got := ledger.Generation(); got != 2 {
		t.Errorf("generation: got %d, want 2", got)
	}
}

// TestLostResponseAndAnotherCommit checks that after a lost response a writer continues only if the
// commit was its own.
func TestLostResponseAndAnotherCommit(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	broken := false
	from := &checkpointtest.Faulty{Store: memory}
	from.Before = func(operation, name string) error {
		if operation != "create" || !strings.Contains(name, "/manifest-") || broken {
			return nil
		}
		broken = true
		takenOver(t, memory)            // the fence takes the writer's number
		return checkpointtest.ErrBroken // the writer does not learn that the number is taken
	}
	ledger := openLedger(t, from, options())
	pass := begin(t, ledger)
	reserve(t, pass, "a").Record(entry("a", "1"))
	if _, err := pass.Commit(t.Context()); !errors.Is(err, checkpointtest.ErrBroken) {
		t.Fatalf("commit: got %v, want %v", err, checkpointtest.ErrBroken)
	}
	for range 2 {
		if _, err := ledger.Begin(t.Context()); !errors.Is(err, store.ErrSuperseded) {
			t.Errorf("begin: got %v, want %v", err, store.ErrSuperseded)
		}
	}
}
