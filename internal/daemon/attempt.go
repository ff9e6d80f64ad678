package daemon

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/store"
	"syncd/internal/deadline"
	"syncd/internal/syncer"
	"syncd/internal/syncer/denial"
)

const (
	// backOff is how long a mapping waits after a pass that failed for what only people can mend, doubled with each further one up to
	// maxBackOff. Alerts count denials within half an hour.
	backOff    = 30 * time.Second
	maxBackOff = 5 * time.Minute
	// enterTimeout bounds how long a pass that did not begin may take to be entered in the history.
	enterTimeout = 10 * time.Second
)

// Why a pass is told to end while its mapping goes on.
var (
	errTurnOver = errors.New("its turn is over")
	errStalled  = errors.New("no sign of life")
)

// ending is how an attempt at a pass ended.
type ending int

const (
	// ended is a pass that ended, or that failed before it began.
	ended ending = iota
	// stoodBy is an attempt for which another process holds the lease.
	stoodBy
	// gaveWay is a pass that drained because its turn was over.
	gaveWay
	// aside is an attempt that was no pass over the source: a replay, or nothing.
	aside
	// left is an attempt that was given up, because the keeper ends.
	left
)

// attempt gets what a pass needs, waits in line for a place and runs the pass. Whatever may take long without work is done before
// the line: a mapping that waits for an answer keeps no other from its pass. Waiting is a part of ctx that ends when no pass is to
// begin any more; byTick says that the schedule asks for the pass, and not only a request.
func (k *keeper) attempt(ctx, waiting context.Context, byTick bool) ending {
	began := k.d.o.Now()
	k.queue()
	k.tryOrders()
	runner, err := k.ready(waiting)
	if err == nil {
		k.join()
		place, refused := k.d.o.Places.take(waiting, k.place)
		if refused != nil {
			k.leave()
			return left
		}
		defer place.giveBack()
		defer k.withoutRecall()()
		return k.pass(ctx, runner, place, byTick)
	}
	if waiting.Err() != nil {
		k.leave()
		return left
	}
	trigger := k.trigger()
	if !byTick {
		trigger = syncer.TriggerRequest
	}
	k.note(syncer.Summary{}, err)
	if !store.IsLeaseHeld(err) {
		k.d.o.Metrics.Passes.WithLabelValues(k.m.Name, "failed").Inc()
		defer k.withoutRecall()()
		k.giveUp(waiting, runner, err)
		k.enterFailure(waiting, runner, trigger, began, err)
	}
	return endingOf(err)
}

// enterFailure enters in the history how a pass failed before it was begun, so that it is known after a restart and to other processes. Where
// the mapping could not be opened or the state cannot be written there is no history for it.
func (k *keeper) enterFailure(ctx context.Context, runner Runner, trigger string, began time.Time, failure error) {
	w, ok := runner.(Worker)
	if !ok {
		return
	}
	k.mu.Lock()
	ended := k.decided // so that it is not taken for that of another process
	k.mu.Unlock()
	err := deadline.Do(ctx, enterTimeout, func(ctx context.Context) error {
		return k.guarded(func() error { return w.EnterFailure(ctx, syncer.Order{Trigger: trigger}, began, ended, failure) })
	})
	if err != nil && !store.IsLeaseHeld(err) && ctx.Err() == nil {
		k.log.Warn("pass was not entered in the history", "err", err)
	}
}

// trigger is why a pass begins for which no request asks.
func (k *keeper) trigger() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.m.AtOnce && !k.asked {
		return syncer.TriggerStart
	}
	return syncer.TriggerSchedule
}

// queue takes note that a pass is due.
func (k *keeper) queue() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.queued = true
	if !k.standing {
		k.since = k.d.o.Now()
	}
}

// join takes note that the mapping waits for nothing but a place.
func (k *keeper) join() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.joined = k.d.o.Now()
	k.d.o.Metrics.PassWaiting.WithLabelValues(k.m.Name).Set(1)
}

// leave takes note that no pass is due any more, or that it begins. The caller does not hold k.mu.
func (k *keeper) leave() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.queued, k.joined = false, time.Time{}
	k.d.o.Metrics.PassWaiting.WithLabelValues(k.m.Name).Set(0)
}

// ready returns what runs the pass, when it has all that it would have to wait for.
func (k *keeper) ready(ctx context.Context) (runner Runner, err error) {
	err = k.guarded(func() error {
		if k.d.o.Control != nil {
			if err := k.d.requests.await(ctx); err != nil {
				return err
			}
		}
		if runner, err = k.open(ctx); err != nil {
			return err
		}
		return runner.Ready(ctx)
	})
	return runner, err
}

// pass runs one pass and takes note of what became of it.
func (k *keeper) pass(ctx context.Context, runner Runner, at *place, byTick bool) ending {
	turn, halt := context.WithCancelCause(ctx)
	defer halt(nil)
	k.leave()
	k.mu.Lock()
	now := k.d.o.Now()
	k.running, k.began, k.halt = true, now, halt
	if !k.standing {
		k.since = now
	}
	k.trail.begin(now)
	k.pulse.beat(now)
	k.mu.Unlock()
	at.turn(func() { halt(errTurnOver) })
	var j job
	var summary syncer.Summary
	err := k.guarded(func() (err error) {
		j, err = k.job(turn, runner, byTick)
		return err
	})
	switch {
	case errors.Is(err, errPaused):
		k.idle()
		return gaveWay
	case errors.Is(err, errNothing):
		k.idle()
		return aside
	}
	if err == nil {
		k.adopt(j.worker)
		summary, err = k.run(turn, runner, j)
	}
	isDrained, why := errors.Is(err, syncer.ErrDrained), context.Cause(turn)
	if isDrained && errors.Is(why, errStalled) {
		err = fmt.Errorf("run pass: %w for %s", errStalled, k.d.o.Watchdog)
	}
	if j.order.Replay == nil || store.IsLeaseHeld(err) {
		k.note(summary, err)
	} else {
		k.noteReplay(summary, err)
	}
	k.settle(ctx, j, summary, err, why)
	if isDrained && errors.Is(why, errPaused) {
		return gaveWay
	}
	if isDrained && errors.Is(why, errTurnOver) {
		k.log.Info("pass gave its place to others, it will resume")
		return gaveWay
	}
	if j.order.Replay != nil && !store.IsLeaseHeld(err) {
		return aside
	}
	return endingOf(err)
}

// idle takes note that nothing was begun.
func (k *keeper) idle() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.running, k.halt, k.queued, k.standing, k.held, k.since = false, nil, false, false, nil, k.d.o.Now()
}

// noteReplay takes note of what became of a replay. How the passes of the mapping fare is not for a replay to say.
func (k *keeper) noteReplay(summary syncer.Summary, err error) {
	k.idle()
	k.mu.Lock()
	defer k.mu.Unlock()
	if summary.Pass > 0 {
		k.leased, k.last = true, lastPass(summary, err, k.d.o.Now())
	}
}

func (k *keeper) run(ctx context.Context, runner Runner, j job) (summary syncer.Summary, err error) {
	counted := false
	err = k.guarded(func() error {
		if j.worker != nil {
			summary, err = j.worker.Do(ctx, j.order)
		} else {
			summary, err = runner.Run(ctx)
		}
		counted = true
		return err
	})
	if !counted {
		k.d.o.Metrics.Passes.WithLabelValues(k.m.Name, "failed").Inc()
	}
	return summary, err
}

// guarded calls do. A panic in it is a failure of this mapping alone: what it held in memory is given up, so that the next pass
// reads it from scratch.
func (k *keeper) guarded(do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			panicked := &syncer.PanicError{Value: value, Stack: debug.Stack()}
			k.log.Error("pass panicked", "err", panicked, "stack", string(panicked.Stack))
			err = errors.Join(panicked, k.close())
		}
	}()
	return do()
}

func (k *keeper) open(ctx context.Context) (Runner, error) {
	k.opening.Lock()
	defer k.opening.Unlock()
	if runner := k.opened(); runner != nil {
		return runner, nil
	}
	runner, err := k.m.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("open mapping: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.runner = runner
	return runner, nil
}

func (k *keeper) opened() Runner {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.runner
}

func (k *keeper) close() error {
	runner := k.opened()
	if runner == nil {
		return nil
	}
	return runner.Close()
}

// note takes note of what became of a pass, and logs how it failed; it is tried again at the next tick whatever it was.
func (k *keeper) note(summary syncer.Summary, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.d.o.Now()
	k.running, k.halt, k.queued, k.asked, k.backOff = false, nil, false, true, 0
	if held, ok := errors.AsType[*store.LeaseHeldError](err); ok {
		if !k.standing {
			k.since = now
			k.log.Warn("lease held by another process, standing by", "holder", held.Holder)
		}
		k.standing, k.held, k.decided = true, held, time.Time{}
		k.fail(nil)
		return
	}
	k.standing, k.held, k.since = false, nil, now
	k.leased = summary.Pass > 0
	k.last = lastPass(summary, err, now)
	if errors.Is(err, syncer.ErrDrained) { // it did not reach its end: what failed before may fail again
		return
	}
	if k.decided = now; err == nil {
		k.fail(nil)
		return
	}
	class := awserr.Classify(err)
	k.log.Error("pass failed", "class", class, "err", err)
	k.fail(k.failed(err, now))
	if awserr.Fatal(err) {
		k.backOff = min(backOff<<min(k.failure.Passes-1, 10), maxBackOff)
	}
}

// failed describes a failure, which goes on with an earlier one.
func (k *keeper) failed(err error, now time.Time) *Failure {
	f := &Failure{
		Class: string(awserr.Classify(err)), Text: k.d.redact.text(err.Error()), Hint: k.d.redact.text(k.d.o.Hint(err)), At: now.UTC(), Since: now.UTC(), Passes: 1,
	}
	if before := k.failure; before != nil {
		f.Since, f.Passes = before.Since, before.Passes+1
	}
	// The ledger has since when everything is refused, the history since when passes fail, also from before this process.
	if refused, ok := errors.AsType[*denial.Error](err); ok {
		f.Since = earlier(f.Since, refused.Since)
	}
	if w, ok := k.runner.(Worker); ok && k.leased {
		_, since, _ := history.Failures(w.History())
		f.Since = earlier(f.Since, since)
	}
	return f
}

// earlier returns the earlier of two times, of which the second may be zero for none.
func earlier(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b.UTC()
}

// fail takes note of how passes fail, nil when the last one that reached an end did not. The caller holds k.mu.
func (k *keeper) fail(f *Failure) {
	k.failure, k.isRecalled = f, false
	if f == nil {
		k.d.o.Metrics.FailingSince.DeleteLabelValues(k.m.Name)
		return
	}
	k.d.o.Metrics.FailingSince.WithLabelValues(k.m.Name).Set(float64(f.Since.UnixMilli()) / 1000)
}

func endingOf(err error) ending {
	if store.IsLeaseHeld(err) {
		return stoodBy
	}
	return ended
}
