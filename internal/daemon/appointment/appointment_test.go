package appointment_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/daemon/appointment"
)

// every is a schedule with ticks at a fixed interval.
type every time.Duration

func (e every) Next(t time.Time) time.Time {
	return t.Truncate(time.Duration(e)).Add(time.Duration(e))
}

func (e every) String() string { return time.Duration(e).String() }

// waiter is a mapping that is paused, or has a request for a pass.
type waiter struct {
	isPaused, isAsked bool
	due               time.Time
	woken             chan struct{}
}

func (w *waiter) Wants() (isPaused, isAsked bool) { return w.isPaused, w.isAsked && !w.isPaused }
func (w *waiter) Announce(due time.Time)          { w.due = due }
func (w *waiter) Woken() <-chan struct{}          { return w.woken }

func calendar(schedule appointment.Schedule, jitter time.Duration) appointment.Calendar {
	return appointment.Calendar{
		Schedule: schedule, Jitter: func() time.Duration { return jitter }, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
	}
}

// TestKeep checks how long Keep waits, and why it returns, for ticks, pauses and requests.
func TestKeep(t *testing.T) {
	const m = time.Minute
	tests := []struct {
		name   string
		make   func(c appointment.Calendar) appointment.Appointment
		jitter time.Duration
		wants  waiter
		why    appointment.Call
		after  time.Duration
	}{
		{"the first tick", func(c appointment.Calendar) appointment.Appointment { return c.First(false, 0) }, 0, waiter{}, appointment.Ticks, 15 * m},
		{"with jitter", func(c appointment.Calendar) appointment.Appointment { return c.First(false, 0) }, m, waiter{}, appointment.Ticks, 16 * m},
		{"at once", func(c appointment.Calendar) appointment.Appointment { return c.First(true, 0) }, 0, waiter{}, appointment.Ticks, 0},
		{"a delayed start", func(c appointment.Calendar) appointment.Appointment { return c.First(true, 2*m) }, 0, waiter{}, appointment.Ticks, 2 * m},
		{"a start is not later than a tick", func(c appointment.Calendar) appointment.Appointment { return c.First(true, 20*m) }, 0, waiter{}, appointment.Ticks, 15 * m},
		{"after a long pass", func(c appointment.Calendar) appointment.Appointment { return c.After(time.Now().Add(-40*m), 0) }, 0, waiter{}, appointment.Ticks, 0},
		{"after a pause", func(c appointment.Calendar) appointment.Appointment { return c.After(time.Now().Add(-40*m), 5*m) }, 0, waiter{}, appointment.Ticks, 5 * m},
		{"soon", func(c appointment.Calendar) appointment.Appointment { return c.Soon(m) }, 0, waiter{}, appointment.Ticks, m},
		{"asked", func(c appointment.Calendar) appointment.Appointment { return c.First(false, 0) }, 0, waiter{isAsked: true}, appointment.Asks, 0},
		{"asked in a pause", func(c appointment.Calendar) appointment.Appointment { return c.Soon(m) }, 0, waiter{isAsked: true}, appointment.Asks, 0},
		{"deaf to requests", func(appointment.Calendar) appointment.Appointment {
			return appointment.Appointment{Pause: 3 * m, IsDeaf: true}
		}, 0, waiter{isAsked: true}, appointment.Asks, 3 * m},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // the bubble starts at a tick: at midnight
				c, begun := calendar(every(15*m), tt.jitter), time.Now()
				_, why := c.Keep(t.Context(), tt.make(c), &tt.wants)
				if got := time.Since(begun); why != tt.why || got != tt.after {
					t.Errorf("got call %d after %s, want %d after %s", why, got, tt.why, tt.after)
				}
			})
		})
	}
}

// TestKeepNever checks that Keep waits until ctx ends while the mapping is paused or has no
// schedule.
func TestKeepNever(t *testing.T) {
	for name, tt := range map[string]struct {
		schedule appointment.Schedule
		isPaused bool
	}{"paused": {every(time.Minute), true}, "no schedule": {nil, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				c, w := calendar(tt.schedule, 0), &waiter{isPaused: tt.isPaused, isAsked: tt.isPaused, due: time.Now()}
				if _, why := c.Keep(ctx, c.First(true, 0), w); why != appointment.Ends || !w.due.IsZero() {
					t.Errorf("got call %d, due %v, want the end", why, w.due)
				}
			})
		})
	}
}
