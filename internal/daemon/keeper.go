package daemon

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"syncd/internal/daemon/appointment"
	"syncd/internal/daemon/condition"
	"syncd/internal/daemon/order"
	"syncd/internal/daemon/service"
	"syncd/internal/figure"
)

// standBy is how often a process asks for a lease that another one holds. A pass is due the moment
// it gets it: two tasks are alive at once in every rolling deployment, and the one that stays
// should not wait for its next tick. Asking S3 is a GET each time, which makes 0.15 cents an hour
// and mapping.
const standBy = time.Second

// keeper keeps one mapping under one configuration: it is a service that ends when the mapping
// does, or is retired for its next keeper.
type keeper struct {
	*service.Service
	m         Mapping
	log       *slog.Logger
	figure    *figure.Mapping
	condition *condition.Condition
	queue     *order.Queue
	runner    *opened
	recall    *recall
	attempts  attempts
	calendar  appointment.Calendar
	// startDelay is how long the first pass waits that is due when it starts.
	startDelay time.Duration
	wake       chan struct{} // holds an element when there is something new to do

	mu     sync.Mutex
	former *keeper // of the same mapping, which has to end first; nil when it has
	// isRetired says that no further pass is to begin, which stopWaiting sees to; nil before it
	// runs.
	isRetired   bool
	stopWaiting context.CancelFunc
}

// newKeeper returns the keeper of a mapping after a former one, nil for none. Ended is called with
// how it ended.
func newKeeper(s *shared, m Mapping, former *keeper, ended func(k *keeper, err error)) *keeper {
	log, wake := s.log.With("mapping", m.Name), make(chan struct{}, 1)
	wakeUp := func() {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
	var was *condition.Condition
	if former != nil {
		was = former.condition
	}
	runner := &opened{open: m.Open, log: log}
	c := s.newCondition(m, wakeUp, was)
	q := s.newQueue(m.Name, c, runner.holds, wakeUp)
	r := &recall{mapping: m.Name, runner: runner, condition: c, readings: s.readings, log: log, now: s.now}
	k := &keeper{
		m: m, log: log, figure: s.board.Of(m.Name), condition: c, queue: q, runner: runner, recall: r, former: former, wake: wake,
		attempts: attempts{shared: s, mapping: m.Name, log: log, member: s.line.Member(), runner: runner, condition: c, queue: q, recall: r},
		calendar: appointment.Calendar{Schedule: m.Schedule, Jitter: jitter(m.Jitter, s.rand), Now: s.now, Logger: log},
	}
	k.Service = service.Of(func(ctx context.Context) error {
		err := k.keep(ctx)
		ended(k, err)
		return err
	})
	return k
}

// jitter returns what returns a random time below most.
func jitter(most time.Duration, random func(n int64) int64) func() time.Duration {
	return func() time.Duration {
		if most <= 0 {
			return 0
		}
		return time.Duration(random(int64(most)))
	}
}

// Stop drains, and the former keeper with it.
func (k *keeper) Stop() {
	k.condition.Stop()
	if former := k.waitsFor(); former != nil {
		former.Stop()
	}
	k.Service.Stop()
}

// retire has no further pass begin, so that the keeper ends after the one that runs.
func (k *keeper) retire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.isRetired = true
	if k.stopWaiting != nil {
		k.stopWaiting()
	}
}

// waiting returns the part of ctx that ends when no pass is to begin any more.
func (k *keeper) waiting(ctx context.Context) (waiting context.Context, stop context.CancelFunc) {
	waiting, stop = context.WithCancel(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stopWaiting = stop
	if k.isRetired {
		stop()
	}
	return waiting, stop
}

// waitsFor returns the former keeper, nil when it has ended.
func (k *keeper) waitsFor() *keeper {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.former
}

// present returns the keeper whose turn it is: the former one until it has ended.
func (k *keeper) present() *keeper {
	for {
		former := k.waitsFor()
		if former == nil {
			return k
		}
		k = former
	}
}

// keep runs the passes of the mapping until ctx ends, or it is retired.
func (k *keeper) keep(ctx context.Context) error {
	k.succeed()
	waiting, stop := k.waiting(ctx)
	defer stop()
	recalling := service.Of(k.recall.work)
	var reading sync.WaitGroup
	reading.Go(func() { _ = recalling.Run(waiting) })
	for next := k.calendar.First(k.m.AtOnce, k.startDelay); ; {
		tick, why := k.calendar.Keep(waiting, next, k)
		if why == appointment.Ends {
			recalling.Stop()
			reading.Wait()
			return k.end()
		}
		how := k.attempts.attempt(ctx, waiting, why == appointment.Ticks)
		next = k.next(next, tick, why, how)
	}
}

// succeed waits for the former keeper to end, and takes over how passes fare.
func (k *keeper) succeed() {
	former := k.waitsFor()
	if former == nil {
		k.condition.Start(nil)
		return
	}
	<-former.Done()
	k.condition.Start(former.condition)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.former = nil
}

// end gives up what runs the passes.
func (k *keeper) end() error {
	defer k.condition.End()
	return k.runner.close()
}

// next returns when there is something to do again after an attempt, which was for a tick of an
// appointment or for requests.
func (k *keeper) next(a appointment.Appointment, tick time.Time, why appointment.Call, how ending) appointment.Appointment {
	switch {
	case how == stoodBy && k.m.Schedule == nil:
		return appointment.Appointment{Pause: standBy, IsDeaf: true}
	case how == stoodBy:
		next := k.calendar.Soon(standBy)
		next.IsDeaf = true
		return next
	case how == gaveWay, how == left:
		return k.calendar.Soon(0)
	case why == appointment.Ticks && how != aside:
		return k.calendar.After(tick, k.condition.BackOff())
	case how == ended && a.IsMissed(tick): // a pass that was asked for when one was due
		return k.calendar.After(a.Tick(), k.condition.BackOff())
	}
	a.Pause = k.condition.BackOff()
	if a.IsDeaf = k.queue.IsInVain(); a.IsDeaf {
		a.Pause = max(a.Pause, order.LookEvery) // they could not be claimed or answered
	}
	return a
}

// Wants returns whether the mapping is paused, and whether there are requests for a pass of one
// that is not. A mapping of which no pass is to come by itself rests.
func (k *keeper) Wants() (isPaused, isAsked bool) {
	isPaused, isAsked = k.condition.Paused() != nil, k.queue.HasWaiting()
	if isPaused || k.m.Schedule == nil && !isAsked {
		k.runner.release()
		k.condition.Rest()
	}
	return isPaused, isAsked && !isPaused
}

// Announce takes note of when the next pass is due, the zero time for never.
func (k *keeper) Announce(due time.Time) { k.condition.Announce(due) }

// Woken has an element when there is something new to do.
func (k *keeper) Woken() <-chan struct{} { return k.wake }
