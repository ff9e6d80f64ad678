package checkpoint_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
)

func TestEntriesRoundTrip(t *testing.T) {
	t.Parallel()
	store := checkpointtest.NewMemory()
	ledger := openLedger(t, store, options())
	keys := []string{"\x00", " ", "+", "..", "/", "//", "a", "a//b", "a/", `b\x41`, "c\xffd", "é", "日本", strings.Repeat("z", 1024)}
	slices.Sort(keys)
	pass := begin(t, ledger)
	var want []record.Entry
	for i, k := range keys {
		e := entry(k, fmt.Sprint(i))
		if i%2 == 0 {
			e = record.Entry{Key: k} // every column empty, including the times
		}
		reserve(t, pass, k).Record(e)
		e.Pass = 1
		want = append(want, e)
	}
	commit(t, pass)
	if diff := cmp.Diff(want, collect(t, checkpoint.Entries(t.Context(), store, mapping))); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	next := begin(t, ledger)
	if diff := cmp.Diff(want, collect(t, next.Previous(t.Context()))); diff != "" {
		t.Errorf("previous (-want +got):\n%s", diff)
	}
	manifest := ledger.Manifest()
	if got := manifest.Runs[0].Chunks[0]; got.FirstKey != keys[0] || got.LastKey != keys[len(keys)-1] {
		t.Errorf("key range: got %q to %q, want %q to %q", got.FirstKey, got.LastKey, keys[0], keys[len(keys)-1])
	}
	latest, err := record.Latest(t.Context(), store, mapping)
	if diff := cmp.Diff(manifest, latest); err != nil || diff != "" {
		t.Errorf("manifest as written and as read: %v (-want +got):\n%s", err, diff)
	}
}

func TestSettlements(t *testing.T) {
	t.Parallel()
	store := checkpointtest.NewMemory()
	ledger := openLedger(t, store, options())
	recordAll(t, ledger, "carry", "drop", "gone-quarantined", "keep-quarantined", "record")
	pass := begin(t, ledger)
	keep := entry("keep-quarantined", "1")
	got := carryRest(t, pass, map[string]func(*checkpoint.Slot){
		"record":           func(s *checkpoint.Slot) { s.Record(entry("record", "2")) },
		"drop":             func(s *checkpoint.Slot) { s.Drop() },
		"keep-quarantined": func(s *checkpoint.Slot) { s.Quarantine(quarantined("keep-quarantined", "2"), &keep) },
		"gone-quarantined": func(s *checkpoint.Slot) { s.Quarantine(quarantined("gone-quarantined", "2"), nil) },
		"new":              func(s *checkpoint.Slot) { s.Record(entry("new", "1")) },
		"new-drop":         func(s *checkpoint.Slot) { s.Drop() },
		"new-quarantined":  func(s *checkpoint.Slot) { s.Quarantine(quarantined("new-quarantined", "1"), nil) },
	})
	if got != 2 || ledger.Generation() != 2 || ledger.Entries() != 4 {
		t.Errorf("got generation %d, %d with %d entries, want 2 with 4", got, ledger.Generation(), ledger.Entries())
	}
	want := map[string]string{"carry": "1", "record": "2", "keep-quarantined": "1", "new": "1"}
	if diff := cmp.Diff(want, etags(t, store)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	var aside []string
	for _, q := range collect(t, checkpoint.Quarantine(t.Context(), store, mapping)) {
		aside = append(aside, q.Key)
	}
	if diff := cmp.Diff([]string{"gone-quarantined", "keep-quarantined", "new-quarantined"}, aside); diff != "" {
		t.Errorf("quarantine (-want +got):\n%s", diff)
	}
	wantCounts := record.Counts{Carried: 1, Recorded: 2, Quarantined: 3, AsideWithEntry: 1, Dropped: 2}
	if diff := cmp.Diff(wantCounts, ledger.Manifest().Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestQuarantineContinues(t *testing.T) {
	t.Parallel()
	store := checkpointtest.NewMemory()
	o := options()
	clock := epoch
	o.Now = func() time.Time { return clock }
	ledger := openLedger(t, store, o)
	for _, etag := range []string{"1", "1", "2", "2"} {
		pass := begin(t, ledger)
		q := quarantined("poison", etag)
		q.LastAt, q.Attempts = clock, 2
		reserve(t, pass, "poison").Quarantine(q, nil)
		commit(t, pass)
		clock = clock.Add(time.Hour)
	}
	want := quarantined("poison", "2")
	want.FirstAt, want.LastAt, want.Attempts, want.Pass = epoch.Add(2*time.Hour), epoch.Add(3*time.Hour), 4, 4
	got := collect(t, checkpoint.Quarantine(t.Context(), store, mapping))
	if diff := cmp.Diff([]record.Quarantined{want}, got); diff != "" {
		t.Errorf("quarantine (-want +got):\n%s", diff)
	}
	pass := begin(t, ledger)
	if diff := cmp.Diff(got, collect(t, pass.PreviousQuarantine(t.Context()))); diff != "" {
		t.Errorf("previous quarantine (-want +got):\n%s", diff)
	}
	reserve(t, pass, "poison").Drop()
	commit(t, pass)
	if got := collect(t, checkpoint.Quarantine(t.Context(), store, mapping)); len(got) != 0 {
		t.Errorf("resolved quarantine: got %v, want none", got)
	}
}

// TestChangeWritesOneRow changes one key, at every position in turn, and checks that only its row is
// written.
func TestChangeWritesOneRow(t *testing.T) {
	t.Parallel()
	for i := range 40 {
		for name, settle := range map[string]func(*checkpoint.Slot){
			"record": func(s *checkpoint.Slot) { s.Record(entry(key(i), "2")) },
			"drop":   func(s *checkpoint.Slot) { s.Drop() },
		} {
			t.Run(fmt.Sprintf("%s %d", name, i), func(t *testing.T) {
				t.Parallel()
				o := options()
				o.ChunkEntries = 10
				store := checkpointtest.NewMemory()
				ledger := openLedger(t, store, o)
				recordAll(t, ledger, keysTo(40)...)
				before := ledger.Manifest().Runs
				carryRest(t, begin(t, ledger), map[string]func(*checkpoint.Slot){key(i): settle})
				after := ledger.Manifest().Runs
				if diff := cmp.Diff(before, after[:1]); diff != "" || len(after) != 2 || after[1].Rows() != 1 {
					t.Errorf("got %d runs, want the former run and one with the changed row (-former +now):\n%s", len(after), diff)
				}
				want := make(map[string]string)
				for n := range 40 {
					want[key(n)] = "1"
				}
				if want[key(i)] = "2"; name == "drop" {
					delete(want, key(i))
				}
				if diff := cmp.Diff(want, etags(t, store)); diff != "" {
					t.Errorf("entries (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestResumeAfterTheMark(t *testing.T) {
	t.Parallel()
	store := checkpointtest.NewMemory()
	o := options()
	o.ChunkEntries = 8
	first := openLedger(t, store, o)
	recordAll(t, first, keysTo(40)...)
	pass := begin(t, first)
	for i := range 25 {
		slot := reserve(t, pass, key(i))
		switch i {
		case 5:
			slot.Record(entry(key(i), "2"))
		case 20: // unsettled, so the mark stays below it
		default:
			slot.Carry(entry(key(i), "1"))
		}
	}
	flush(t, pass)

	killed := store.Clone()
	progress, ok, err := record.Unfinished(t.Context(), killed, mapping)
	if err != nil || !ok || !slices.Equal(progress.Settled, []record.Range{{Until: key(19)}}) {
		t.Errorf("unfinished: got %+v, %t, %v, want mark %q", progress, ok, err, key(19))
	}
	second := openLedger(t, killed, o)
	resumed := begin(t, second)
	if !resumed.Resumed() || resumed.Mark() != key(19) || resumed.Number() != 2 || resumed.LowWater() != key(19) {
		t.Fatalf("got resumed %t at %q as pass %d", resumed.Resumed(), resumed.Mark(), resumed.Number())
	}
	if got := collect(t, resumed.Previous(t.Context())); len(got) != 20 || got[0].Key != key(20) {
		t.Errorf("previous: got %d entries, want 20 from %q", len(got), key(20))
	}
	carryRest(t, resumed, map[string]func(*checkpoint.Slot){
		key(20): func(s *checkpoint.Slot) { s.Record(entry(key(20), "3")) },
	})
	got := etags(t, killed)
	if got[key(5)] != "2" || got[key(20)] != "3" || got[key(39)] != "1" || len(got) != 40 {
		t.Errorf("after resuming: got %v", got)
	}
	wantCounts := record.Counts{Carried: 38, Recorded: 2}
	if diff := cmp.Diff(wantCounts, second.Manifest().Counts); diff != "" {
		t.Errorf("counts over both parts (-want +got):\n%s", diff)
	}
	if _, ok, err := record.Unfinished(t.Context(), killed, mapping); ok || err != nil {
		t.Errorf("unfinished after commit: got %t, %v, want none", ok, err)
	}
	names, _ := killed.List(t.Context(), mapping+"/progress-")
	if len(names) != 0 {
		t.Errorf("progress after commit: got %q, want none", names)
	}
}

func TestAbandonThenResume(t *testing.T) {
	t.Parallel()
	store := checkpointtest.NewMemory()
	ledger := openLedger(t, store, options())
	pass := begin(t, ledger)
	reserve(t, pass, "a").Record(entry("a", "1"))
	late := reserve(t, pass, "b")
	if err := pass.Abandon(t.Context()); err != nil {
		t.Fatalf("abandon: %v", err)
	}
	late.Record(entry("b", "1")) // no effect
	late.Record(entry("x", "1")) // harmless
	if _, err := pass.Reserve(t.Context(), "c"); !errors.Is(err, checkpoint.ErrPassEnded) {
		t.Errorf("reserve after abandon: got %v, want %v", err, checkpoint.ErrPassEnded)
	}
	if _, err := pass.Commit(t.Context()); !errors.Is(err, checkpoint.ErrPassEnded) {
		t.Errorf("commit after abandon: got %v, want %v", err, checkpoint.ErrPassEnded)
	}
	resumed := begin(t, ledger)
	if resumed.Mark() != "a" {
		t.Fatalf("mark: got %q, want %q", resumed.Mark(), "a")
	}
	reserve(t, resumed, "b").Drop()
	commit(t, resumed)
	if diff := cmp.Diff(map[string]string{"a": "1"}, etags(t, store)); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

// TestCanceledFlushIsRepeated ends the context during a save, as SIGTERM can, and then drains with
// another context. It checks that the drain saves the changes.
func TestCanceledFlushIsRepeated(t *testing.T) {
	t.Parallel()
	memory := checkpointtest.NewMemory()
	recordAll(t, openLedger(t, memory, options()), "a", "c", "e", "g")
	for _, at := range []string{"chunk-", "quarantine-", "progress-"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			store := &checkpointtest.Faulty{Store: memory.Clone(), Before: func(_, name string) error {
				if strings.Contains(name, at) {
					cancel()
				}
				return nil
			}}
			ledger := openLedger(t, store, options())
			pass := begin(t, ledger)
			reserve(t, pass, "a").Carry(entry("a", "1"))
			reserve(t, pass, "b").Quarantine(quarantined("b", "1"), nil)
			reserve(t, pass, "c").Record(entry("c", "2"))
			if err := pass.Flush(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("flush: got %v, want %v", err, context.Canceled)
			}
			reserve(t, pass, "d").Record(entry("d", "1"))
			if err := pass.Abandon(t.Context()); err != nil {
				t.Errorf("abandon: %v", err)
			}
			resumed := begin(t, ledger)
			if resumed.Mark() != "d" {
				t.Errorf("mark: got %q, want %q", resumed.Mark(), "d")
			}
			carryRest(t, resumed, nil)
			want := map[string]string{"a": "1", "c": "2", "d": "1", "e": "1", "g": "1"}
			if diff := cmp.Diff(want, etags(t, store)); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}
}

func TestProgressStaysSmall(t *testing.T) {
	t.Parallel()
	store := checkpointtest.NewMemory()
	ledger := openLedger(t, store, options())
	pass := begin(t, ledger)
	for i := range 130 {
		reserve(t, pass, key(i)).Record(entry(key(i), "1"))
		flush(t, pass)
		mergeSaved(t, pass)
	}
	reserve(t, pass, "z").Drop()
	flush(t, pass) // names the merged runs
	progress, ok, err := record.Unfinished(t.Context(), store, mapping)
	if err != nil || !ok {
		t.Fatalf("unfinished: %t, %v", ok, err)
	}
	if got := len(progress.Runs); got > 25 {
		t.Errorf("after 130 flushes the progress names %d runs, want few", got)
	}
	commit(t, pass)
	names, err := store.List(t.Context(), mapping+"/")
	if err != nil || len(names) != 2 {
		t.Errorf("after commit: got %q, %v, want one chunk and one manifest", names, err)
	}
}

func TestGenerationsAreKeptAndSwept(t *testing.T) {
	t.Parallel()
	store := checkpointtest.NewMemory()
	o := options()
	o.KeepGenerations = 2
	ledger := openLedger(t, store, o)
	for n := range int64(5) {
		pass := begin(t, ledger)
		reserve(t, pass, "a").Record(entry("a", fmt.Sprint(n+1)))
		commit(t, pass)
	}
	names, err := store.List(t.Context(), mapping+"/")
	if err != nil || len(names) != 4 || !strings.Contains(names[2], "manifest-0000000004") {
		t.Errorf("got %q, %v, want two manifests and their chunks", names, err)
	}
}

func TestOpenChecksItsOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []checkpoint.Options{
		{},
		{Mapping: "Upper"},
		{Mapping: "a/b"},
		{Mapping: "a.b"},
		{Mapping: "a", Window: -1},
		{Mapping: "a", FlushInterval: -time.Second},
	} {
		if _, err := checkpoint.Open(t.Context(), checkpointtest.NewMemory(), o); err == nil {
			t.Errorf("open with %+v: got no error", o)
		}
	}
}
