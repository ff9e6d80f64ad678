package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/store"
	"syncd/internal/daemon/condition"
	"syncd/internal/daemon/line"
	"syncd/internal/daemon/order"
	"syncd/internal/deadline"
	"syncd/internal/syncer"
)

// enterTimeout limits how long it takes to record in the history that a pass failed before it
// began.
const enterTimeout = 10 * time.Second

// errTurnOver is the cause when a pass is drained so that waiting mappings can run.
var errTurnOver = errors.New("the turn of the pass is over: other mappings are waiting")

// ending is the result of an attempt to run a pass.
type ending int

const (
	// ended means that a pass over the source ended, or failed before it began.
	ended ending = iota
	// stoodBy means that another process holds the lease.
	stoodBy
	// gaveWay means that the pass was drained because its turn was over or the mapping was paused.
	gaveWay
	// aside means that the attempt was not a pass over the source: it was a replay, or there was
	// nothing to do.
	aside
	// left means that the attempt was canceled because the mapping is ending.
	left
)

// attempts runs single passes of one mapping.
type attempts struct {
	*shared
	mapping   string
	log       *slog.Logger
	member    *line.Member
	runner    *opened
	condition *condition.Condition
	queue     *order.Queue
	recall    *recall
	// isComplete means that the last attempt ran a pass to its end.
	isComplete bool
}

// attempt prepares a pass, waits for a place in line and runs the pass. Preparations that may take
// long, such as getting credentials, come before the wait in line, so that a mapping that waits for
// a response does not block other mappings. The context waiting is derived from ctx and ends when
// no further pass may begin. byTick is true if the pass is due by the schedule, and false if it was
// only requested.
func (a *attempts) attempt(ctx, waiting context.Context, byTick bool) ending {
	began := a.now()
	a.isComplete = false
	a.condition.Queue()
	a.queue.Try()
	runner, err := a.ready(waiting)
	if err == nil {
		a.condition.Join()
		turn, refused := a.member.Wait(waiting)
		if refused != nil {
			a.condition.Leave()
			return left
		}
		defer turn.End()
		defer a.recall.suspend()()
		return a.pass(ctx, runner, turn, byTick)
	}
	if waiting.Err() != nil {
		a.condition.Leave()
		return left
	}
	trigger := a.condition.Trigger()
	if !byTick {
		trigger = syncer.TriggerRequest
	}
	a.condition.Note(syncer.Summary{}, err, a.runner)
	if !store.IsLeaseHeld(err) {
		a.metrics.Passes.WithLabelValues(a.mapping, history.ResultFailed).Inc()
		defer a.recall.suspend()()
		w, _ := runner.(Worker)
		a.queue.GiveUp(waiting, holderOf(w), err)
		a.enterFailure(waiting, w, trigger, began, err)
	}
	return endingOf(err)
}

// holderOf returns w as an order.Holder, or nil if w is nil.
func holderOf(w Worker) order.Holder {
	if w == nil {
		return nil
	}
	return w
}

// enterFailure records in the history that a pass failed before it began, so that the failure is
// known after a restart and in other processes. A mapping that could not be opened, or whose state
// cannot be written, has no history.
func (a *attempts) enterFailure(ctx context.Context, w Worker, trigger string, began time.Time, failure error) {
	if w == nil {
		return
	}
	ended := a.condition.Decided() // with this time, Adopt recognizes the failure as one of this process
	err := deadline.Do(ctx, enterTimeout, func(ctx context.Context) error {
		return a.runner.guarded(func() error { return w.EnterFailure(ctx, syncer.Order{Trigger: trigger}, began, ended, failure) })
	})
	if err != nil && !store.IsLeaseHeld(err) && ctx.Err() == nil {
		a.log.Warn("pass could not be recorded in the history", "err", err)
	}
}

// ready returns the runner of the pass after all preparations that may take long.
func (a *attempts) ready(ctx context.Context) (runner Runner, err error) {
	err = a.runner.guarded(func() error {
		if a.inbox != nil {
			if err := a.inbox.Await(ctx); err != nil {
				return err
			}
		}
		if runner, err = a.runner.get(ctx); err != nil {
			return err
		}
		return runner.Ready(ctx)
	})
	return runner, err
}

// pass runs one pass and records its result.
func (a *attempts) pass(ctx context.Context, runner Runner, at *line.Turn, byTick bool) ending {
	turn, halt := context.WithCancelCause(ctx)
	defer halt(nil)
	a.condition.Begin(halt)
	at.Begin(func() { halt(errTurnOver) })
	w, _ := runner.(Worker)
	var j order.Job
	var summary syncer.Summary
	err := a.runner.guarded(func() (err error) {
		j, err = a.queue.Job(turn, holderOf(w), a.condition.Trigger(), byTick)
		return err
	})
	switch {
	case errors.Is(err, condition.ErrPaused):
		a.condition.Idle()
		return gaveWay
	case errors.Is(err, order.ErrNothing):
		a.condition.Idle()
		return aside
	}
	if err == nil {
		if w != nil {
			a.condition.Adopt(w.History())
		}
		summary, err = a.run(turn, runner, w, j.Order)
	}
	a.isComplete = err == nil
	why := context.Cause(turn)
	isDrained := errors.Is(err, syncer.ErrDrained)
	if isDrained && errors.Is(why, condition.ErrStalled) {
		err = fmt.Errorf("run pass: %w for %s", condition.ErrStalled, a.watchdog)
	}
	isReplay := j.Order.Replay != nil && !store.IsLeaseHeld(err)
	if isReplay {
		a.condition.NoteReplay(summary, err)
	} else {
		a.condition.Note(summary, err, a.runner)
	}
	a.queue.Finish(ctx, j, summary, err, why)
	switch {
	case isDrained && errors.Is(why, condition.ErrPaused):
		return gaveWay
	case isDrained && errors.Is(why, errTurnOver):
		a.log.Info("pass yielded to waiting mappings, it will resume")
		return gaveWay
	case isReplay:
		return aside
	default:
		return endingOf(err)
	}
}

func (a *attempts) run(ctx context.Context, runner Runner, w Worker, o syncer.Order) (summary syncer.Summary, err error) {
	counted := false
	err = a.runner.guarded(func() error {
		if w != nil {
			summary, err = w.Do(ctx, o)
		} else {
			summary, err = runner.Run(ctx)
		}
		counted = true
		return err
	})
	if !counted {
		a.metrics.Passes.WithLabelValues(a.mapping, history.ResultFailed).Inc()
	}
	return summary, err
}

func endingOf(err error) ending {
	if store.IsLeaseHeld(err) {
		return stoodBy
	}
	return ended
}
