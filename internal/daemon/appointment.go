package daemon

import (
	"context"
	"time"
)

const (
	// lookAgain is how often a keeper that waits looks at the clock: timers do not see that it was set, or that the machine slept.
	lookAgain = time.Minute
	// settled is how far a clock may be set back without a tick coming again: daemons that keep clocks right set them by less.
	settled = time.Minute
)

// appointment is when the next pass is due. A schedule is kept by the clock on the wall, which may be set at any time and goes on
// while the machine sleeps; a pause is kept by a clock that nobody sets.
type appointment struct {
	// tick is when the schedule asks for a pass: the first tick after from. The pass is due a jitter later.
	from, tick time.Time
	jitter     time.Duration
	// atOnce says that the tick is none of the schedule's.
	atOnce bool
	// pause is how long to wait in any case.
	pause time.Duration
}

// isDue reports whether nothing is left to wait for.
func (a appointment) isDue(now time.Time) bool {
	return a.pause <= 0 && !a.tick.IsZero() && !a.tick.Add(a.jitter).After(now)
}

// clock is the time on the wall. It has no reading of the monotonic clock, by which times would be compared otherwise. A cron
// expression means UTC unless it names a zone.
func (k *keeper) clock() time.Time { return k.d.o.Now().UTC().Round(0) }

// first returns when the first pass is due.
func (k *keeper) first() appointment {
	now := k.clock()
	a := appointment{from: now, tick: k.m.Schedule.Next(now), jitter: k.jitter()}
	if atOnce := now.Add(k.startDelay); k.m.AtOnce && !a.tick.Before(atOnce) {
		a.tick, a.atOnce = atOnce, true
	}
	return a
}

// after returns when the next pass is due after that of a tick has ended.
func (k *keeper) after(tick, now time.Time) appointment {
	a := appointment{from: tick, tick: k.m.Schedule.Next(tick), jitter: k.jitter()}
	if a.tick.Before(now) {
		a = appointment{from: now, tick: now} // ticks that passed meanwhile are due now, and once however many there were
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	a.pause = k.backOff
	return a
}

// jitter returns a random time below the mapping's.
func (k *keeper) jitter() time.Duration {
	if k.m.Jitter <= 0 {
		return 0
	}
	return time.Duration(k.d.o.Rand(int64(k.m.Jitter)))
}

// until waits until a pass is due, and returns the tick that it is for, or the time when that went by long ago: in a pause, or when
// the clock leapt. isDue is false when ctx ended before.
func (k *keeper) until(ctx context.Context, a appointment) (tick time.Time, isDue bool) {
	begun := time.Now()
	for {
		now, pause := k.clock(), a.pause-time.Since(begun)
		if a.from.After(now.Add(settled)) {
			a = k.moved(a, now)
		}
		byClock := a.tick.Add(a.jitter).Sub(now)
		left := max(byClock, pause)
		k.announce(now.Add(max(left, 0)))
		timer := time.NewTimer(min(max(left, 0), lookAgain))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
		switch {
		case ctx.Err() != nil:
			return time.Time{}, false
		case left > lookAgain:
		case byClock < -settled, a.pause > 0 && left == pause:
			return k.clock(), true
		default:
			return a.tick, true
		}
	}
}

// moved returns what becomes of an appointment when the clock was set back before that from which its tick was found: without it
// a mapping would wait for a time that comes once more, and for all that the clock was wrong by.
func (k *keeper) moved(a appointment, now time.Time) appointment {
	former := a.tick
	a.from, a.tick = now, k.m.Schedule.Next(now)
	if a.atOnce {
		a.tick = now
	}
	k.log.Info("clock was set back, next pass brought forward", "from", former, "to", a.tick)
	return a
}

// announce takes note of when the next pass is due.
func (k *keeper) announce(due time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.next = due; !due.IsZero() {
		k.d.o.Metrics.NextPass.WithLabelValues(k.m.Name).Set(float64(due.UnixMilli()) / 1000)
	}
}
