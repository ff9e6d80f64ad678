package checkpoint_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
)

// TestUnchangedPassWritesOneRecord checks that a pass in which nothing has changed writes only the
// manifest.
func TestUnchangedPassWritesOneRecord(t *testing.T) {
	t.Parallel()
	store, created := counting(checkpointtest.NewMemory())
	o := options()
	o.ChunkEntries = 10
	ledger := openLedger(t, store, o)
	recordAll(t, ledger, keysTo(95)...)
	before := ledger.Manifest()
	if len(before.Runs) != 1 || len(before.Runs[0].Chunks) < 9 {
		t.Fatalf("got runs %v, want one with many chunks", before.Runs)
	}
	for generation := range int64(4) {
		*created = nil
		pass := begin(t, ledger)
		for _, e := range collect(t, pass.Previous(t.Context())) {
			reserve(t, pass, e.Key).Carry(e)
			reserve(t, pass, e.Key+"/filtered").Drop() // a key without an entry is not written either
			if pass.Due() {
				t.Error("due although nothing changed")
			}
		}
		commit(t, pass)
		want := []string{fmt.Sprintf("manifest-%010d.json", generation+2)}
		if diff := cmp.Diff(want, *created); diff != "" {
			t.Errorf("records created (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(before.Runs, ledger.Manifest().Runs); diff != "" {
			t.Errorf("runs (-before +after):\n%s", diff)
		}
	}
}

// TestKeysWithoutCopiesAreProgress checks that a pass that copies no object saves the mark once per
// interval, so that a process that is restarted often still makes progress.
func TestKeysWithoutCopiesAreProgress(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	recordAll(t, openLedger(t, memory, options()), keysTo(300)...)
	clock, lives := epoch, 0
	o := options()
	o.Now, o.FlushInterval = func() time.Time { return clock }, 10*time.Second
	for done := false; !done; lives++ {
		memory = memory.Clone()
		store, created := counting(memory)
		pass := begin(t, openLedger(t, store, o))
		seen := 0
		for _, e := range collect(t, pass.Previous(t.Context())) {
			if seen++; seen > 50 {
				break // killed
			}
			if seen%2 == 0 {
				reserve(t, pass, e.Key).Carry(e)
			} else {
				reserve(t, pass, e.Key).Carry(e)
				reserve(t, pass, e.Key+"/filtered").Drop()
			}
			if clock = clock.Add(time.Second); pass.Due() {
				flush(t, pass)
			}
		}
		if done = seen <= 50; done {
			commit(t, pass)
		}
		// The waits before the saves are 1, 2, 4, 8, 10, 10 and 10 seconds long.
		if want := 8; len(*created) > want {
			t.Errorf("life %d wrote %q, want at most %d records in 50 seconds", lives, *created, want)
		}
	}
	if lives > 8 {
		t.Errorf("took %d lives of 50 keys for 300 keys, want about six", lives)
	}
}

// TestSettledAboveTheMarkIsSaved checks that keys settled above one unsettled key are not lost when
// the process is killed.
func TestSettledAboveTheMarkIsSaved(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	recordAll(t, openLedger(t, memory, options()), keysTo(100)...)
	memory = memory.Clone()
	made := map[string]string{}
	for life := range 3 { // the slow key is never settled
		pass := begin(t, openLedger(t, memory, options()))
		for _, e := range collect(t, pass.Previous(t.Context())) {
			slot := reserve(t, pass, e.Key)
			switch {
			case e.Key == key(0): // never settled
			case made[e.Key] != "":
				if e.Source.ETag != made[e.Key] || e.Pass != 2 {
					t.Errorf("life %d, key %q: got version %q of pass %d, want %q, copied before", life, e.Key, e.Source.ETag, e.Pass, made[e.Key])
				}
				slot.Carry(e)
			case len(made) < 40*(life+1):
				made[e.Key] = fmt.Sprint("life ", life)
				slot.Record(entry(e.Key, made[e.Key]))
			default:
				slot.Carry(e)
			}
			if len(made)%3 == 0 {
				flush(t, pass)
				mergeSaved(t, pass)
			}
		}
		flush(t, pass)
		progress, _, err := record.Unfinished(t.Context(), memory, mapping)
		if err != nil || len(progress.Runs) > 30 {
			t.Errorf("got %d runs, %v, want few", len(progress.Runs), err)
		}
		memory = memory.Clone()
	}
	ledger := openLedger(t, memory, options())
	carryRest(t, begin(t, ledger), nil)
	want := map[string]string{}
	for _, k := range keysTo(100) {
		want[k] = "1"
	}
	maps.Copy(want, made)
	if diff := cmp.Diff(want, etags(t, memory)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

// TestUnreservedKey checks that a pass that skips a key of the ledger, or a key that it recorded
// before it was interrupted, cannot commit.
func TestUnreservedKey(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	ledger := openLedger(t, memory, options())
	recordAll(t, ledger, "a", "c")
	pass := begin(t, ledger)
	reserve(t, pass, "a").Carry(entry("a", "1"))
	reserve(t, pass, "b").Record(entry("b", "1"))
	if _, err := pass.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), "not reserved") {
		t.Errorf("commit without c: got %v, want an error", err)
	}
	pass = begin(t, ledger)
	reserve(t, pass, "a")
	reserve(t, pass, "b").Record(entry("b", "1"))
	reserve(t, pass, "c").Carry(entry("c", "1"))
	flush(t, pass)
	pass = begin(t, openLedger(t, memory.Clone(), options()))
	reserve(t, pass, "a").Drop()
	reserve(t, pass, "c").Carry(entry("c", "1"))
	if _, err := pass.Commit(t.Context()); err == nil || !strings.Contains(err.Error(), "not reserved") {
		t.Errorf("commit without b: got %v, want an error", err)
	}
}
