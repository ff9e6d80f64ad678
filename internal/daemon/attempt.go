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

// enterTimeout bounds how long a pass that did not begin may take to be entered in the history.
const enterTimeout = 10 * time.Second

// errTurnOver is why a pass is told to end for others that wait.
var errTurnOver = errors.New("its turn is over")

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
	// left is an attempt that was given up, because the mapping ends.
	left
)

// attempts runs the passes of one mapping, when it is told to.
type attempts struct {
	*shared
	mapping   string
	log       *slog.Logger
	member    *line.Member
	runner    *opened
	condition *condition.Condition
	queue     *order.Queue
	recall    *recall
}

// attempt gets what a pass needs, waits in line for a place and runs the pass. Whatever may take
// long without work is done before the line: a mapping that waits for an answer keeps no other from
// its pass. Waiting is a part of ctx that ends when no pass is to begin any more; byTick says that
// the schedule asks for the pass, and not only a request.
func (a *attempts) attempt(ctx, waiting context.Context, byTick bool) ending {
	began := a.now()
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

// holderOf returns what takes the lease, nil for nothing.
func holderOf(w Worker) order.Holder {
	if w == nil {
		return nil
	}
	return w
}

// enterFailure enters in the history how a pass failed before it was begun, so that it is known
// after a restart and to other processes. Where the mapping could not be opened or the state cannot
// be written there is no history for it.
func (a *attempts) enterFailure(ctx context.Context, w Worker, trigger string, began time.Time, failure error) {
	if w == nil {
		return
	}
	ended := a.condition.Decided() // so that it is not taken for that of another process
	err := deadline.Do(ctx, enterTimeout, func(ctx context.Context) error {
		return a.runner.guarded(func() error { return w.EnterFailure(ctx, syncer.Order{Trigger: trigger}, began, ended, failure) })
	})
	if err != nil && !store.IsLeaseHeld(err) && ctx.Err() == nil {
		a.log.Warn("pass was not entered in the history", "err", err)
	}
}

// ready returns what runs the pass, when it has all that it would have to wait for.
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

// pass runs one pass and takes note of what became of it.
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
		a.log.Info("pass gave its place to others, it will resume")
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
