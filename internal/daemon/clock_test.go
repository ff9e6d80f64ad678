package daemon_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/config/schedule"
	"syncd/internal/awserr"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/daemon/appointment"
)

// steppedClock is the clock of a bubble, which starts at midnight in 2000. It is set once.
type steppedClock struct {
	at time.Duration // when the clock is set; by: how far
	by time.Duration
}

// now returns a clock without monotonic readings: only the wall clock counts.
func (c steppedClock) now(origin time.Time) func() time.Time {
	return func() time.Time {
		now := time.Now()
		if now.Sub(origin) >= c.at {
			now = now.Add(c.by)
		}
		return now.Round(0)
	}
}

// TestRunWhenTheClockIsSet checks that passes follow the wall clock when it is set or the machine
// wakes up, and that a correction by seconds does not repeat a tick.
func TestRunWhenTheClockIsSet(t *testing.T) {
	const m, day = time.Minute, 24 * time.Hour
	minutes := func(list ...time.Duration) (at []time.Duration) {
		for _, n := range list {
			at = append(at, n*m)
		}
		return at
	}
	tests := []struct {
		name, schedule string
		clock          steppedClock
		took           time.Duration
		want           []time.Duration // starts within four hours, rounded down to five minutes
	}{
		{"not at all", "30 * * * *", steppedClock{}, s, minutes(30, 90, 150, 210)},
		{"back 29 days while it waits", "30 * * * *", steppedClock{60 * m, -29 * day}, s, minutes(30, 90, 150, 210)},
		{"back 29 days and ten minutes", "30 * * * *", steppedClock{60 * m, -29*day - 10*m}, s, minutes(30, 100, 160, 220)},
		{"back over the last tick", "30 * * * *", steppedClock{40 * m, -20 * m}, s, minutes(30, 50, 110, 170, 230)},
		{"back, but not over the last tick", "30 * * * *", steppedClock{60 * m, -20 * m}, s, minutes(30, 110, 170, 230)},
		{"back half a minute right after a tick", "30 * * * *", steppedClock{30*m + 10*s, -30 * s}, s, minutes(30, 90, 150, 210)},
		{"back a day during a pass", "30 * * * *", steppedClock{40 * m, -day}, 20 * m, minutes(30, 90, 150, 210)},
		{"back 29 days during a pass", "30 * * * *", steppedClock{40 * m, -29 * day}, 20 * m, minutes(30, 90, 150, 210)},
		{"back with an interval", "@every 30m", steppedClock{70 * m, -29 * day}, s, minutes(0, 30, 60, 90, 120, 150, 180, 210)},
		{"forward over ticks", "30 * * * *", steppedClock{60 * m, 5 * time.Hour}, s, minutes(30, 60, 90, 150, 210)},
		{"forward with an interval", "@every 30m", steppedClock{70 * m, 5 * time.Hour}, s, minutes(0, 30, 60, 70, 90, 120, 150, 180, 210)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				runner := &passes{took: tt.took, origin: time.Now()}
				m := mapping("m", runner)
				m.AtOnce = false
				schedule, err := schedule.Parse(tt.schedule)
				if err != nil {
					t.Fatal(err)
				}
				m.Schedule = schedule
				if interval, ok := schedule.Every(); ok {
					m.Schedule = appointment.NewSpread("m13141", interval, tt.schedule) // for this name, the ticks are in the first seconds of the interval
				}
				o := options(m)
				o.Now = tt.clock.now(time.Now())
				runFor(t, 4*time.Hour, o)
				var got []time.Duration
				for _, at := range runner.began {
					got = append(got, at.Truncate(5*time.Minute))
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("passes began at (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestRunPausesInRealTime checks that setting the clock does not change the pause after a failure,
// and that the log says why a pass starts earlier than displayed.
func TestRunPausesInRealTime(t *testing.T) {
	for name, by := range map[string]time.Duration{"forward": 24 * time.Hour, "back": -24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				runner := &passes{took: s, err: &awserr.CredentialsError{Err: errors.New("refused")}, origin: time.Now()}
				m := mapping("m", runner)
				o := options(m)
				o.Now = steppedClock{20 * s, by}.now(time.Now())
				runFor(t, 100*s, o)
				want := []time.Duration{0, 31 * s, 92 * s}
				if diff := cmp.Diff(want, runner.began); diff != "" {
					t.Errorf("passes began at (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestTheLogTellsOfAClockSetBack(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		var log lines
		schedule, err := schedule.Parse("0 3 * * *")
		if err != nil {
			t.Fatal(err)
		}
		m := mapping("m", &passes{took: s, origin: time.Now()})
		m.Schedule, m.AtOnce = schedule, false
		o := options(m)
		o.Now, o.Logger = steppedClock{time.Hour, -24 * time.Hour}.now(time.Now()), slog.New(slog.NewTextHandler(&log, nil))
		d, stop := start(t, o)
		time.Sleep(2 * time.Hour)
		if got, want := statusOf(t, d).NextPass, time.Date(1999, 12, 31, 3, 0, 0, 0, time.UTC); got == nil || !got.Equal(want) {
			t.Errorf("got the next pass at %v, want %v", got, want)
		}
		stop()
		if got := strings.Count(log.String(), "clock was set back, next pass brought forward"); got != 1 {
			t.Errorf("got %d lines about the clock, want 1:\n%s", got, log.String())
		}
	})
}
