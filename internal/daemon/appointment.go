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
	// pause is how long to wait in any case, but for requests unless it is deaf to them.
	pause  time.Duration
	isDeaf bool
}

// clock is the time on the wall. It has no reading of the monotonic clock, by which times would be compared otherwise. A cron
// expression means UTC unless it names a zone.
func (k *keeper) clock() time.Time { return k.d.o.Now().UTC().Round(0) }

// first returns when the first pass is due.
func (k *keeper) first() appointment {
	if k.m.Schedule == nil {
		return appointment{}
	}
	now := k.clock()
	a := appointment{from: now, tick: k.m.Schedule.Next(now), jitter: k.jitter()}
	if atOnce := now.Add(k.startDelay); k.m.AtOnce && !a.tick.Before(atOnce) {
		a.tick, a.atOnce = atOnce, true
	}
	return a
}

// after returns when the next pass is due after that of a tick has ended.
func (k *keeper) after(tick, now time.Time) appointment {
	if k.m.Schedule == nil {
		return appointment{}
	}
	a := appointment{from: tick, tick: k.m.Schedule.Next(tick), jitter: k.jitter()}
	if a.tick.Before(now) {
		a = appointment{from: now, tick: now} // ticks that passed meanwhile are due now, and once however many there were
	}
	a.pause = k.pauseFor()
	return a
}

// pauseFor returns how long to wait after the last pass.
func (k *keeper) pauseFor() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.backOff
}

// jitter returns a random time below the mapping's.
func (k *keeper) jitter() time.Duration {
	if k.m.Jitter <= 0 {
		return 0
	}
	return time.Duration(k.d.o.Rand(int64(k.m.Jitter)))
}

// call is why there is something to do.
type call int

const (
	// ends is the end of the keeper.
	ends call = iota
	// ticks is a tick of the schedule, asks a request.
	ticks
	asks
)

// until waits until there is something to do. For a pass that is due it returns the tick that it is for, or the time when that went by
// long ago: in a pause, or when the clock leapt. While the mapping is paused nothing is due.
func (k *keeper) until(ctx context.Context, a appointment) (tick time.Time, why call) {
	begun := time.Now()
	for {
		now, pause := k.clock(), a.pause-time.Since(begun)
		isPaused, isAsked := k.wants()
		if isAsked && (!a.isDeaf || pause <= 0) && ctx.Err() == nil {
			return now, asks
		}
		isNever := isPaused || a.tick.IsZero()
		a = k.moved(a, now, isNever)
		byClock := a.tick.Add(a.jitter).Sub(now)
		left := max(byClock, pause)
		k.announce(now.Add(max(left, 0)), isNever)
		switch {
		case isNever && a.isDeaf && pause > 0:
			left = pause
		case isNever:
			left = lookAgain + 1
		}
		woken := k.sleep(ctx, min(max(left, 0), lookAgain))
		switch {
		case ctx.Err() != nil:
			return time.Time{}, ends
		case woken, isNever, left > lookAgain:
		case byClock < -settled, a.pause > 0 && left == pause:
			return k.clock(), ticks
		default:
			return a.tick, ticks
		}
	}
}

// wants returns whether the mapping is paused, and whether there are requests for a pass of one that is not. A mapping of which no pass
// is to come by itself rests.
func (k *keeper) wants() (isPaused, isAsked bool) {
	isPaused, isAsked = k.isPaused(), len(k.waitingOrders()) > 0
	if isPaused || k.m.Schedule == nil && !isAsked {
		k.restUntilAsked()
	}
	return isPaused, isAsked && !isPaused
}

// sleep waits so long, or until ctx ends or there is something new.
func (k *keeper) sleep(ctx context.Context, d time.Duration) (woken bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-k.wake:
		woken = true
	}
	return woken
}

// moved returns what becomes of an appointment when the clock was set back before that from which its tick was found: without it
// a mapping would wait for a time that comes once more, and for all that the clock was wrong by.
func (k *keeper) moved(a appointment, now time.Time, isNever bool) appointment {
	if isNever || k.m.Schedule == nil || !a.from.After(now.Add(settled)) {
		return a
	}
	former := a.tick
	a.from, a.tick = now, k.m.Schedule.Next(now)
	if a.atOnce {
		a.tick = now
	}
	k.log.Info("clock was set back, next pass brought forward", "from", former, "to", a.tick)
	return a
}

// announce takes note of when the next pass is due.
func (k *keeper) announce(due time.Time, isNever bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if isNever {
		k.due = time.Time{}
		k.d.o.Metrics.NextPass.DeleteLabelValues(k.m.Name)
		return
	}
	k.due = due
	k.d.o.Metrics.NextPass.WithLabelValues(k.m.Name).Set(float64(due.UnixMilli()) / 1000)
}
