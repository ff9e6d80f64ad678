package history_test

import (
	"testing"
	"time"

	"syncd/internal/checkpoint/history"
)

// Drained passes and replays say nothing about how passes fare; a pass that reached its end ends a failure.
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
		{"an end", []history.Pass{pass(1, "failed"), pass(2, "complete")}, at(2), time.Time{}, 0},
		{"objects set aside", []history.Pass{pass(1, "failed"), pass(2, "quarantined")}, at(2), time.Time{}, 0},
		{"two failures", []history.Pass{pass(1, "complete"), pass(2, "denied"), pass(3, "failed")}, at(3), at(2), 2},
		{"failures in one record", []history.Pass{pass(1, "complete"), often, pass(40, "denied")}, at(40), at(5), 7},
		{"drains and replays", []history.Pass{pass(2, "failed"), pass(3, "drained"), pass(4, "failed"), pass(6, "drained"), replay}, at(4), at(2), 2},
		{"nothing but a drain", []history.Pass{pass(2, "drained")}, time.Time{}, time.Time{}, 0},
	} {
		last, since, times := history.Failures(tt.passes)
		if !last.EndedAt.Equal(tt.last) || !since.Equal(tt.since) || times != tt.times {
			t.Errorf("%s: got the last at %s, %d since %s, want %s, %d since %s", tt.name, last.EndedAt, times, since, tt.last, tt.times, tt.since)
		}
	}
}
