// Package appointment decides when the passes of a mapping are due.
//
// It promises that a schedule is kept by the clock on the wall, which may be set at any time and
// goes on while the machine sleeps, and a pause by a clock that cannot be set; that ticks which
// passed during a pass are due once, however many there were; and that mappings with the same
// interval have their ticks spread over it.
//
// It leaves to the daemon what is done then, and whether there is room for it.
//
// The words: a tick is a time at which a schedule asks for a pass, which is due a random time later
// where the mapping has jitter; an appointment is the next tick, with the pause before it.
package appointment

import (
	"context"
	"log/slog"
	"time"
)

const (
	// lookAgain is how often one who waits looks at the clock: timers do not see that it was set,
	// or that the machine slept.
	lookAgain = time.Minute
	// setBack is how far a clock may be set back without a tick coming again: daemons that keep
	// clocks right set them by less.
	setBack = time.Minute
)

// Schedule says when passes are due.
type Schedule interface {
	// Next returns the first tick after t.
	Next(t time.Time) time.Time
	// String is the schedule for people.
	String() string
}

// Appointment is when the next pass is due. The zero value is one that never is.
type Appointment struct {
	// tick is when the schedule asks for a pass: the first tick after from. The pass is due a
	// jitter later.
	from, tick time.Time
	jitter     time.Duration
	// atOnce says that the tick is none of the schedule's.
	atOnce bool
	// Pause is how long to wait in any case, but for requests unless it is deaf to them.
	Pause time.Duration
	// IsDeaf says that requests wait for the end of the pause too.
	IsDeaf bool
}

// IsMissed reports whether the pass of the tick was due at that time already.
func (a Appointment) IsMissed(at time.Time) bool {
	return !a.tick.IsZero() && !a.tick.Add(a.jitter).After(at)
}

// Tick returns when the schedule asks for a pass, the zero time for never.
func (a Appointment) Tick() time.Time { return a.tick }

// Calendar makes the appointments of one mapping. All fields but Schedule are required.
type Calendar struct {
	// Schedule says when passes are due; nil for a mapping whose passes run only when somebody asks
	// for them.
	Schedule Schedule
	// Jitter returns the random time by which the pass of a tick is delayed.
	Jitter func() time.Duration
	// Now is the clock.
	Now func() time.Time
	// Logger gets that the clock was set back.
	Logger *slog.Logger
}

// clock is the time on the wall. It has no reading of the monotonic clock, by which times would be
// compared otherwise. A cron expression means UTC unless it names a zone.
func (c Calendar) clock() time.Time { return c.Now().UTC().Round(0) }

// First returns when the first pass is due: at once but for a delay, unless the first tick comes
// before or none is wanted at once.
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

// After returns when the next pass is due after that of a tick has ended, and a pause since.
func (c Calendar) After(tick time.Time, pause time.Duration) Appointment {
	if c.Schedule == nil {
		return Appointment{}
	}
	now := c.clock()
	a := Appointment{from: tick, tick: c.Schedule.Next(tick), jitter: c.Jitter()}
	if a.tick.Before(now) {
		a = Appointment{from: now, tick: now} // ticks that passed meanwhile are due now, and once however many there were
	}
	a.Pause = pause
	return a
}

// Soon returns an appointment for now, or after a pause.
func (c Calendar) Soon(pause time.Duration) Appointment {
	now := c.clock()
	return Appointment{from: now, tick: now, Pause: pause}
}

// Call is why there is something to do.
type Call int

const (
	// Ends is the end of the wait: there is nothing to do any more.
	Ends Call = iota
	// Ticks is a tick of the schedule.
	Ticks
	// Asks is a request.
	Asks
)

// Waiter is who keeps an appointment.
type Waiter interface {
	// Wants returns whether the mapping is paused, and whether there are requests for a pass of one
	// that is not.
	Wants() (isPaused, isAsked bool)
	// Announce takes note of when the next pass is due, the zero time for never.
	Announce(due time.Time)
	// Woken has an element when what it wants may have changed.
	Woken() <-chan struct{}
}

// Keep waits until there is something to do. For a pass that is due it returns the tick that it is
// for, or the time when that went by long ago: in a pause, or when the clock leapt. While the
// mapping is paused nothing is due.
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

// sleep waits so long, or until ctx ends or there is something new.
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

// moved returns what becomes of an appointment when the clock was set back before that from which
// its tick was found: without it a mapping would wait for a time that comes once more, and for all
// that the clock was wrong by.
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
