package checkpoint_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
)

// TestHold checks that held objects stay unchanged in quarantine, pass after pass, and that a later
// attempt is added to their number of attempts.
func TestHold(t *testing.T) {
	t.Parallel()
	store := checkpointtest.NewMemory()
	ledger := openLedger(t, store, options())
	recordAll(t, ledger, "kept", "lost")
	kept := entry("kept", "1")
	first := map[string]func(*checkpoint.Slot){}
	for _, k := range []string{"again", "kept", "lost", "new"} {
		q := quarantined(k, "2")
		q.Attempts, q.Detail = 3, "detail of "+k
		previous := map[bool]*record.Entry{true: &kept}[k == "kept"]
		first[k] = func(s *checkpoint.Slot) { s.Quarantine(q, previous) }
	}
	carryRest(t, begin(t, ledger), first)
	before := collect(t, checkpoint.Quarantine(t.Context(), store, mapping))
	for range 3 {
		pass := begin(t, ledger)
		settle := map[string]func(*checkpoint.Slot){}
		for _, q := range collect(t, pass.PreviousQuarantine(t.Context())) {
			previous := map[bool]*record.Entry{true: &kept}[q.Key == "kept"]
			q.Attempts, q.LastAt, q.Pass, q.Detail = 99, epoch.Add(time.Hour), 99, "of no interest"
			settle[q.Key] = func(s *checkpoint.Slot) { s.Hold(q, previous) }
		}
		carryRest(t, pass, settle)
		if diff := cmp.Diff(before, collect(t, checkpoint.Quarantine(t.Context(), store, mapping))); diff != "" {
			t.Errorf("quarantine (-before +after):\n%s", diff)
		}
		want := record.Counts{Quarantined: 4, Held: 4, AsideWithEntry: 1}
		if diff := cmp.Diff(want, ledger.Manifest().Counts); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff(map[string]string{"kept": "1"}, etags(t, store)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	pass := begin(t, ledger)
	reserve(t, pass, "again").Quarantine(quarantined("again", "2"), nil)
	for _, k := range []string{"kept", "lost", "new"} {
		reserve(t, pass, k).Drop()
	}
	commit(t, pass)
	got := collect(t, checkpoint.Quarantine(t.Context(), store, mapping))
	if len(got) != 1 || got[0].Attempts != 4 || got[0].Pass != pass.Number() || !got[0].FirstAt.Equal(epoch) {
		t.Errorf("tried again: got %+v, want only the fourth attempt of %q", got, "again")
	}
	if got := ledger.Manifest().Counts.Held; got != 0 {
		t.Errorf("held: got %d, want none", got)
	}
}

func TestHoldWithoutBaseFailsTheSave(t *testing.T) {
	t.Parallel()
	for name, base := range map[string][]string{"never set aside": nil, "another version": {"1"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ledger := openLedger(t, checkpointtest.NewMemory(), options())
			for _, etag := range base {
				pass := begin(t, ledger)
				reserve(t, pass, "a").Quarantine(quarantined("a", etag), nil)
				commit(t, pass)
			}
			pass := begin(t, ledger)
			reserve(t, pass, "a").Hold(quarantined("a", "2"), nil)
			if err := pass.Flush(t.Context()); err == nil || !strings.Contains(err.Error(), "BUG") {
				t.Errorf("flush: got %v, want the bug named", err)
			}
		})
	}
}

// TestQuarantineIsReadLazily checks that reading the first rows of a quarantine opens only the
// first chunk.
func TestQuarantineIsReadLazily(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	o := options()
	o.ChunkEntries = 10
	pass := begin(t, openLedger(t, memory, o))
	for i := range 50 {
		reserve(t, pass, key(i)).Quarantine(quarantined(key(i), "1"), nil)
	}
	commit(t, pass)
	names, err := memory.List(t.Context(), mapping+"/quarantine-")
	if err != nil || len(names) < 5 {
		t.Fatalf("got chunks %q, %v, want many", names, err)
	}
	for _, name := range names[1:] {
		if err := memory.Delete(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	for q, err := range checkpoint.Quarantine(t.Context(), memory, mapping) {
		if err != nil {
			t.Fatalf("after %d: %v", seen, err)
		}
		if seen++; q.Key == key(5) {
			break
		}
	}
	if seen != 6 {
		t.Errorf("read %d, want 6, only from the first chunk", seen)
	}
}
