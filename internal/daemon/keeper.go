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

// standBy is how often a process tries to take a lease that another process holds. Once it has the
// lease, a pass is due at once: during a rolling deployment two tasks run at the same time, and the
// new task should not wait for its next tick. Each retry is one GET to S3, which costs 0.15 cents
// per hour and mapping.
const standBy = time.Second

// keeper runs one mapping under one configuration. A keeper is a service. It ends when the mapping
// is removed, or when the keeper is retired because a new keeper replaces it.
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
	verifier  *verifier
	calendar  appointment.Calendar
	// startDelay is how long to wait before a first pass that is due at start.
	startDelay time.Duration
	wake       chan struct{} // has an element when the mapping may have something to do

	mu     sync.Mutex
	former *keeper // the previous keeper of this mapping, which must end first; nil once it has ended
	// isRetired means that no further pass may begin. stopWaiting ends the wait for the next pass;
	// it is nil before the keeper runs.
	isRetired   bool
	stopWaiting context.CancelFunc
}

// newKeeper returns the keeper of a mapping. The keeper replaces former, which may be nil, and
// calls ended with its result when it has ended.
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
		verifier: newVerifier(m.Verify, runner, log, s.now),
		calendar: appointment.Calendar{Schedule: m.Schedule, Jitter: jitter(m.Jitter, s.rand), Now: s.now, Logger: log},
	}
	k.Service = service.Of(func(ctx context.Context) error {
		err := k.keep(ctx)
		ended(k, err)
		return err
	})
	return k
}

// jitter returns a func that returns a random duration less than most.
func jitter(most time.Duration, random func(n int64) int64) func() time.Duration {
	return func() time.Duration {
		if most <= 0 {
			return 0
		}
		return time.Duration(random(int64(most)))
	}
}

// Stop makes the keeper, and the former keeper if it still runs, drain and end.
func (k *keeper) Stop() {
	k.condition.Stop()
	if former := k.waitsFor(); former != nil {
		former.Stop()
	}
	k.Service.Stop()
}

// retire makes the keeper end after the current pass. No further pass begins.
func (k *keeper) retire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.isRetired = true
	if k.stopWaiting != nil {
		k.stopWaiting()
	}
}

// waiting returns a context derived from ctx that ends when no further pass may begin.
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

// waitsFor returns the former keeper, or nil if it has ended.
func (k *keeper) waitsFor() *keeper {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.former
}

// present returns the active keeper of the mapping: the oldest of k and its predecessors that has
// not ended.
func (k *keeper) present() *keeper {
	for {
		former := k.waitsFor()
		if former == nil {
			return k
		}
		k = former
	}
}

// keep runs the passes of the mapping until ctx ends or the keeper is retired.
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
			stop()
			recalling.Stop()
			reading.Wait()
			k.verifier.wait()
			return k.end()
		}
		how := k.attempts.attempt(ctx, waiting, why == appointment.Ticks)
		if how == ended && k.attempts.isComplete {
			k.verifier.passed(waiting)
		}
		next = k.next(next, tick, why, how)
	}
}

// succeed waits until the former keeper has ended, and inherits its condition.
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

// end closes the runner of the passes.
func (k *keeper) end() error {
	defer k.condition.End()
	return k.runner.close()
}

// next returns the appointment that follows an attempt. The parameter why is the reason for the
// attempt (a tick or requests), and how is its result.
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
	case how == ended && a.IsMissed(tick): // the pass was requested, and a scheduled pass became due meanwhile
		return k.calendar.After(a.Tick(), k.condition.BackOff())
	}
	a.Pause = k.condition.BackOff()
	if a.IsDeaf = k.queue.IsInVain(); a.IsDeaf {
		a.Pause = max(a.Pause, order.LookEvery) // the attempt could not claim or answer requests
	}
	return a
}

// Wants reports whether the mapping is paused and, if it is not, whether requests are waiting for a
// pass. If the mapping runs no pass without a request, Wants releases its lease.
func (k *keeper) Wants() (isPaused, isAsked bool) {
	isPaused, isAsked = k.condition.Paused() != nil, k.queue.HasWaiting()
	if isPaused || k.m.Schedule == nil && !isAsked {
		k.runner.release()
		k.condition.Rest()
	}
	return isPaused, isAsked && !isPaused
}

// Announce records when the next pass is due. The zero time means never.
func (k *keeper) Announce(due time.Time) { k.condition.Announce(due) }

// Woken returns a channel that has an element when the mapping may have something to do.
func (k *keeper) Woken() <-chan struct{} { return k.wake }
