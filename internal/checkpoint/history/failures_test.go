package history_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/store"
)

// TestFailures checks that drained passes and replays are ignored, and that a completed pass ends a
// series of failures.
func TestFailures(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, time.March, 10, 12, minute, 0, 0, time.UTC) }
	pass := func(minute int, result string) history.Pass {
		r := history.Pass{BeganAt: at(minute - 1), EndedAt: at(minute), Result: result, Trigger: "schedule"}
		if result == "failed" || result == "denied" {
			r.Class = "denied"
		}
		return r
	}
	often, replay := pass(30, "failed"), pass(50, "failed")
	often.BeganAt, often.Times, replay.Trigger = at(5), 6, "replay"
	for _, tt := range []struct {
		name   string
		passes []history.Pass
		last   time.Time
		since  time.Time
		times  int64
	}{
		{"nothing", nil, time.Time{}, time.Time{}, 0},
		{"completed", []history.Pass{pass(1, "failed"), pass(2, "complete")}, at(2), time.Time{}, 0},
		{"objects quarantined", []history.Pass{pass(1, "failed"), pass(2, "quarantined")}, at(2), time.Time{}, 0},
		{"two failures", []history.Pass{pass(1, "complete"), pass(2, "denied"), pass(3, "failed")}, at(3), at(2), 2},
		{"failures in one record", []history.Pass{pass(1, "complete"), often, pass(40, "denied")}, at(40), at(5), 7},
		{"drains and replays", []history.Pass{pass(2, "failed"), pass(3, "drained"), pass(4, "failed"), pass(6, "drained"), replay}, at(4), at(2), 2},
		{"only a drain", []history.Pass{pass(2, "drained")}, time.Time{}, time.Time{}, 0},
	} {
		last, since, times := history.Failures(tt.passes)
		if !last.EndedAt.Equal(tt.last) || !since.Equal(tt.since) || times != tt.times {
			t.Errorf("%s: got the last pass at %s and %d failures since %s, want %s and %d since %s", tt.name, last.EndedAt, times, since, tt.last, tt.times, tt.since)
		}
	}
}

// TestFailuresAreNotForgotten checks that the start and the number of consecutive failures do not
// change when the history drops the first of these passes, or when all passes in the history were
// drained.
func TestFailuresAreNotForgotten(t *testing.T) {
	records := checkpointtest.NewMemory()
	began := time.Date(2026, time.March, 10, 12, 0, 0, 0, time.UTC)
	n := 0
	enter := func(ledger *checkpoint.Ledger, r history.Pass) {
		t.Helper()
		n++
		r.Trigger, r.BeganAt, r.EndedAt = "schedule", began.Add(time.Duration(n)*time.Minute), began.Add(time.Duration(n)*time.Minute)
		if _, err := ledger.Enter(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	check := func(what string, wantTimes int64) {
		t.Helper()
		last, since, times := history.Failures(historyOf(t, records))
		if last.Class != "denied" || times != wantTimes || !since.Equal(began.Add(2*time.Minute)) {
			t.Errorf("%s: got %d since %s, %+v, want %d since %s", what, times, since, last, wantTimes, began.Add(2*time.Minute))
		}
	}
	first := openOf(t, records, "host/1")
	enter(first, history.Pass{Pass: 1, Result: "complete"})
	for i := range 60 {
		// Every other failure occurs twice in a row, and both passes share one entry.
		for range 1 + i%2 {
			enter(first, history.Pass{Result: "failed", Class: "denied", Error: fmt.Sprint("denied: object ", i)})
		}
	}
	check("60 kinds of failures", 90)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := openOf(t, records, "host/2")
	enter(second, history.Pass{Result: "failed", Class: "denied", Error: "denied by another process"})
	check("another process", 91)
	for i := range 70 {
		enter(second, history.Pass{Pass: 2, Result: "drained", Copied: int64(i)})
	}
	check("drained passes", 91)
	if passes := historyOf(t, records); len(passes) != 50 {
		t.Errorf("got %d passes, want 50", len(passes))
	}
	enter(second, history.Pass{Result: "failed", Class: "denied", Error: "denied again"})
	check("after drained passes", 92)
	enter(second, history.Pass{Pass: 2, Result: "complete"})
	if _, since, times := history.Failures(historyOf(t, records)); times != 0 || !since.IsZero() {
		t.Errorf("got %d failures since %s after an end, want none", times, since)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestEnterAlone checks that a pass that fails before it opens the ledger is entered under the
// lease, or not at all.
func TestEnterAlone(t *testing.T) {
	records := checkpointtest.NewMemory()
	failed := history.Pass{Result: "failed", Class: "credentials", Trigger: "start", Error: "no session"}
	holder := openOf(t, records, "host/1")
	if _, err := history.EnterAlone(t.Context(), records, "m", "host/2", slog.New(slog.DiscardHandler), failed); !store.IsLeaseHeld(err) || len(historyOf(t, records)) != 0 {
		t.Errorf("got %v while the lease is held, want a LeaseHeldError", err)
	}
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	passes, err := history.EnterAlone(t.Context(), records, "m", "host/2", slog.New(slog.DiscardHandler), failed)
	if err != nil || len(passes) != 1 || passes[0].Holder != "host/2" || passes[0].FailedInRow != 1 {
		t.Errorf("got %+v, %v, want the pass entered", passes, err)
	}
	if err := openOf(t, records, "host/3").Close(); err != nil {
		t.Errorf("got %v, want the lease released", err)
	}
}
