// Package appointment decides when the passes of a mapping are due.
//
// A schedule follows the wall clock, which can be set at any time and advances while the machine
// sleeps. Pauses follow the monotonic clock. All ticks that occur during a pass cause a single pass
// after it. The ticks of mappings with the same interval are spread over the interval.
//
// The daemon decides what to do at a tick, and whether a pass may run.
//
// Two terms: a tick is a time at which a schedule requires a pass; with jitter, the pass is due a
// random time later. An appointment is the next tick and the minimum pause before its pass.
package appointment

import (
	"context"
	"log/slog"
	"time"
)

const (
	// lookAgain is how often to check the wall clock while waiting, because timers do not follow
	// when the clock is set or the machine sleeps.
	lookAgain = time.Minute
	// setBack is how far the clock may be set back without making a tick due again. Time
	// synchronization sets clocks back by less.
	setBack = time.Minute
)

// Schedule determines when passes are due.
type Schedule interface {
	// Next returns the first tick after t.
	Next(t time.Time) time.Time
	// String returns the display form of the schedule.
	String() string
}

// Appointment is when the next pass is due. The zero value means never.
type Appointment struct {
	// tick is when the schedule requires a pass: the first tick after from. The pass is due at tick
	// plus jitter.
	from, tick time.Time
	jitter     time.Duration
	// atOnce means that tick was not taken from the schedule: it is the start of a mapping whose
	// first pass is due at once.
	atOnce bool
	// Pause is the minimum time to wait before the pass. A request ends it early, unless IsDeaf is
	// set.
	Pause time.Duration
	// IsDeaf means that requests must also wait for the end of the pause.
	IsDeaf bool
}

// IsMissed reports whether the pass of a's tick was already due at the given time.
func (a Appointment) IsMissed(at time.Time) bool {
	return !a.tick.IsZero() && !a.tick.Add(a.jitter).After(at)
}

// Tick returns when the schedule requires a pass; the zero time means never.
func (a Appointment) Tick() time.Time { return a.tick }

// Calendar computes the appointments of one mapping. All fields except Schedule are required.
type Calendar struct {
	// Schedule determines when passes are due. It is nil for a mapping whose passes run only on
	// request.
	Schedule Schedule
	// Jitter returns the random delay of a pass; it is called for each pass.
	Jitter func() time.Duration
	// Now is the clock.
	Now func() time.Time
	// Logger logs when the clock was set back.
	Logger *slog.Logger
}

// clock returns the wall-clock time without a monotonic reading, so that times compare by the wall
// clock. It is in UTC because a cron expression means UTC unless it names a zone.
func (c Calendar) clock() time.Time { return c.Now().UTC().Round(0) }

// First returns the first appointment. If isAtOnce is true, the first pass is due after delay, or
// at the first tick if that comes earlier.
func (c Calendar) First(isAtOnce bool, delay time.Duration) Appointment {
	if c.Schedule == nil {
		return Appointment{}
	}
	now := c.clock()
	a := Appointment{from: now, tick: c.Schedule.Next(now), jitter: c.Jitter()}
	if atOnce := now.Add(delay); isAtOnce && !a.tick.Before(atOnce) {
		a.tick, a.atOnce = atOnce, true
	}
	return a
}

// After returns the next appointment, once the pass of the given tick has ended. The parameter
// pause is the minimum time before the next pass.
func (c Calendar) After(tick time.Time, pause time.Duration) Appointment {
	if c.Schedule == nil {
		return Appointment{}
	}
	now := c.clock()
	a := Appointment{from: tick, tick: c.Schedule.Next(tick), jitter: c.Jitter()}
	if a.tick.Before(now) {
		a = Appointment{from: now, tick: now} // one pass now for all missed ticks
	}
	a.Pause = pause
	return a
}

// Soon returns an appointment for now, or after a pause.
func (c Calendar) Soon(pause time.Duration) Appointment {
	now := c.clock()
	return Appointment{from: now, tick: now, Pause: pause}
}

// Call is the reason why Keep returned.
type Call int

const (
	// Ends means that ctx has ended.
	Ends Call = iota
	// Ticks means that a scheduled pass is due.
	Ticks
	// Asks means that there are requests.
	Asks
)

// Waiter is implemented by the caller of Keep.
type Waiter interface {
	// Wants reports whether the mapping is paused and, if it is not, whether requests are waiting
	// for a pass.
	Wants() (isPaused, isAsked bool)
	// Announce records when the next pass is due. The zero time means never.
	Announce(due time.Time)
	// Woken returns a channel that has an element when the results of Wants may have changed.
	Woken() <-chan struct{}
}

// Keep waits until there is something to do. If a pass is due, it returns the pass's tick, or the
// current time if the tick passed long ago, for example during a pause or when the clock was set
// forward. While the mapping is paused, nothing is due.
func (c Calendar) Keep(ctx context.Context, a Appointment, w Waiter) (tick time.Time, why Call) {
	begun := time.Now()
	for {
		now, pause := c.clock(), a.Pause-time.Since(begun)
		isPaused, isAsked := w.Wants()
		if isAsked && (!a.IsDeaf || pause <= 0) && ctx.Err() == nil {
			return now, Asks
		}
		isNever := isPaused || a.tick.IsZero()
		a = c.moved(a, now, isNever)
		byClock := a.tick.Add(a.jitter).Sub(now)
		left := max(byClock, pause)
		if isNever {
			w.Announce(time.Time{})
		} else {
			w.Announce(now.Add(max(left, 0)))
		}
		switch {
		case isNever && a.IsDeaf && pause > 0:
			left = pause
		case isNever:
			left = lookAgain + 1
		}
		woken := sleep(ctx, min(max(left, 0), lookAgain), w.Woken())
		switch {
		case ctx.Err() != nil:
			return time.Time{}, Ends
		case woken, isNever, left > lookAgain:
		case byClock < -setBack, a.Pause > 0 && left == pause:
			return c.clock(), Ticks
		default:
			return a.tick, Ticks
		}
	}
}

// sleep waits for d, until ctx ends, or until wake has an element.
func sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) (woken bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-wake:
		woken = true
	}
	return woken
}

// moved returns a. If the clock was set back to before the time from which a's tick was computed,
// moved computes the tick again. Without the new tick, the mapping would wait longer by the amount
// that the clock was set back.
func (c Calendar) moved(a Appointment, now time.Time, isNever bool) Appointment {
	if isNever || c.Schedule == nil || !a.from.After(now.Add(setBack)) {
		return a
	}
	former := a.tick
	a.from, a.tick = now, c.Schedule.Next(now)
	if a.atOnce {
		a.tick = now
	}
	c.Logger.Info("clock was set back, next pass brought forward", "from", former, "to", a.tick)
	return a
}
