package history_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/store"
)

func historyOf(t *testing.T, store store.Store) []history.Pass {
	t.Helper()
	passes, err := history.Read(t.Context(), store, "m")
	if err != nil {
		t.Fatal(err)
	}
	return passes
}

func openOf(t *testing.T, store store.Store, holder string) *checkpoint.Ledger {
	t.Helper()
	ledger, err := checkpoint.Open(t.Context(), store, checkpoint.Options{Mapping: "m", Holder: holder})
	if err != nil {
		t.Fatal(err)
	}
	return ledger
}

// TestHistoryIsBounded checks that the history keeps the last fifty passes of all holders in one
// record.
func TestHistoryIsBounded(t *testing.T) {
	store := checkpointtest.NewMemory()
	began := time.Date(2026, 11, 29, 18, 0, 0, 0, time.UTC)
	n := int64(0)
	for holder := range 4 {
		ledger := openOf(t, store, fmt.Sprint("host/", holder))
		for range 15 {
			n++
			record := history.Pass{Pass: n, BeganAt: began, EndedAt: began.Add(time.Minute), Result: "complete", Trigger: "schedule", Copied: n}
			if _, err := ledger.Enter(t.Context(), record); err != nil {
				t.Fatal(err)
			}
		}
		if err := ledger.Close(); err != nil {
			t.Fatal(err)
		}
	}
	passes := historyOf(t, store)
	want := history.Pass{Pass: 60, BeganAt: began, EndedAt: began.Add(time.Minute), Result: "complete", Trigger: "schedule", Copied: 60, Holder: "host/3"}
	if diff := cmp.Diff(want, passes[len(passes)-1]); len(passes) != 50 || passes[0].Pass != 11 || diff != "" {
		t.Errorf("got %d passes from %d on, want 50 from 11 on; the last (-want +got):\n%s", len(passes), passes[0].Pass, diff)
	}
	names, err := store.List(t.Context(), "m/history-")
	if err != nil || !slices.Equal(names, []string{"m/history-0000000060.json"}) {
		t.Errorf("got records %v, %v, want one", names, err)
	}
}

// TestHistoryCountsRepetitions checks that a repeated failure is one entry with a count and the
// time of the first failure, and that a long error is truncated.
func TestHistoryCountsRepetitions(t *testing.T) {
	store := checkpointtest.NewMemory()
	ledger := openOf(t, store, "host/1")
	began := time.Date(2026, 11, 29, 18, 0, 0, 0, time.UTC)
	enter := func(i int, r history.Pass) {
		r.BeganAt, r.EndedAt = began.Add(time.Duration(i)*time.Minute), began.Add(time.Duration(i)*time.Minute)
		if _, err := ledger.Enter(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	failed := history.Pass{Result: "failed", Class: "denied", Trigger: "schedule"}
	for i := range 100 {
		failed.Error = fmt.Sprintf("denied (request %016X) ", i) + strings.Repeat("ä", 400)
		enter(i, failed)
	}
	failed.Request = "20261129t180000-aaaaaaaaaaaa"
	enter(100, failed)
	enter(101, history.Pass{Pass: 1, Result: "complete", Trigger: "schedule"})
	enter(102, history.Pass{Pass: 2, Result: "complete", Trigger: "schedule"})
	passes := historyOf(t, store)
	if len(passes) != 4 || passes[0].Times != 100 || !passes[0].BeganAt.Equal(began) || !passes[0].EndedAt.Equal(began.Add(99*time.Minute)) {
		t.Errorf("got %+v, want one entry of 100 failures, one requested pass and two passes", passes)
	}
	if text := passes[0].Error; len(text) > 510 || !strings.HasSuffix(text, "ä...") {
		t.Errorf("got an error of %d bytes, %.20q", len(text), text)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedHistory checks that readers of a damaged history get an error, that the next pass
// starts a new history, and that a closed ledger enters nothing.
func TestDamagedHistory(t *testing.T) {
	from := checkpointtest.NewMemory()
	ledger := openOf(t, from, "host/1")
	if _, err := ledger.Enter(t.Context(), history.Pass{Pass: 1, Result: "complete"}); err != nil {
		t.Fatal(err)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.Enter(t.Context(), history.Pass{Pass: 2}); !errors.Is(err, store.ErrLeaseLost) {
		t.Errorf("got %v without the lease", err)
	}
	from.Damage("m/history-0000000001.json", func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
	_, err := history.Read(t.Context(), from, "m")
	if _, ok := errors.AsType[*store.CorruptError](err); !ok {
		t.Errorf("got %v for a damaged record", err)
	}
	ledger = openOf(t, from, "host/2")
	passes, err := ledger.Enter(t.Context(), history.Pass{Pass: 3, Result: "complete"})
	if err != nil || len(passes) != 1 || len(historyOf(t, from)) != 1 {
		t.Errorf("got %+v, %v, want the history restarted", passes, err)
	}
	if err := ledger.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestHistoryOfTwoWriters checks that at most one entry is lost if two processes write the history
// of one mapping, as after a lease was lost unnoticed.
func TestHistoryOfTwoWriters(t *testing.T) {
	store := checkpointtest.NewMemory()
	ledger := openOf(t, store, "host/1")
	if _, err := ledger.Enter(t.Context(), history.Pass{Pass: 1, Result: "complete"}); err != nil {
		t.Fatal(err)
	}
	clone := store.Clone()
	other := openOf(t, clone, "host/2")
	if _, err := other.Enter(t.Context(), history.Pass{Pass: 2, Result: "complete"}); err != nil {
		t.Fatal(err)
	}
	const second = "m/history-0000000002.json"
	data, err := clone.Read(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Create(t.Context(), second, func(w io.Writer) error { _, err := w.Write(data); return err }); err != nil {
		t.Fatal(err)
	}
	passes, err := ledger.Enter(t.Context(), history.Pass{Pass: 3, Result: "complete"})
	if err != nil || len(passes) != 3 || passes[1].Holder != "host/2" {
		t.Errorf("got %+v, %v, want the passes of both mappings", passes, err)
	}
	if err := errors.Join(ledger.Close(), other.Close()); err != nil {
		t.Fatal(err)
	}
}
