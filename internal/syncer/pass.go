package syncer

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"syncd/internal/checkpoint"
	"syncd/internal/plan"
	"syncd/internal/syncer/denial"
)

// pass is one traversal in progress.
type pass struct {
	plan     func(context.Context) plan.Actions
	ledger   *checkpoint.Pass
	claims   *claims
	refusals *denial.Detector
	turns    Turns
	worker   *worker
	saver    *saver
	// patience is how long copies in flight may go on once the pass drains.
	patience time.Duration
	// window is how many actions the walk may take while an object is held.
	window int
	taken  int // actions
}

// walk is the heart: it takes each action of the plan, carries it out, and has what is settled
// saved when it is due.
//
// When ctx ends no further action is taken; copies in flight go on for as long as a drain may take.
func (p *pass) walk(ctx context.Context) error {
	patient, giveUp := outlive(ctx, p.patience)
	defer giveUp()
	copies, working := errgroup.WithContext(patient)
	reading, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(working, stop)() // a copy that ends the pass ends the reading too
	// A save is of the pass, not of its copies: when the last of these has ended, a save that has
	// begun continues to its end.
	save := func() error {
		err := p.saver.save(ctx)
		if err != nil {
			giveUp() // what is copied from now on could not be recorded
		}
		return err
	}
	saved := keepSaving(save)
	err := guarded(func() error {
		for a, err := range readAhead(reading, p.plan, planAhead) {
			if err != nil {
				return err
			}
			slot, err := p.reserve(reading, a)
			switch {
			case err != nil:
				return err
			case isCarried(a):
				p.worker.skip(slot, a)
			default:
				copies.Go(func() error { return p.copy(working, slot, a) })
			}
			if err := save(); err != nil {
				return err
			}
		}
		return reading.Err()
	})
	return firstCause(ctx, copies.Wait(), saved(), p.claims.wait(), err)
}

// isCarried reports whether an action takes no request.
func isCarried(a plan.Action) bool { return a.Kind == plan.Skip && !a.Unsure }

// reserve takes the action's place in the ledger. For one that takes requests it claims the key, if
// that will be written, and waits for a turn. Turns are given in key order, and an action that has
// one is carried out: a drain leaves no hole below what was copied.
func (p *pass) reserve(ctx context.Context, a plan.Action) (*checkpoint.Slot, error) {
	p.taken++
	p.worker.record.release(p.refusals.Take(a.Object.Key, p.window))
	slot, err := p.ledger.Reserve(ctx, a.Object.Key)
	if err != nil || isCarried(a) {
		return slot, err
	}
	if a.Kind == plan.Copy {
		if err := p.claims.ensure(ctx, a.Object.Key, p.taken); err != nil {
			return nil, err
		}
	}
	if err := p.refusals.Wait(ctx); err != nil {
		return nil, err
	}
	return slot, p.turns.Acquire(ctx)
}

// copy carries out an action that takes requests, and gives its turn back.
func (p *pass) copy(ctx context.Context, slot *checkpoint.Slot, a plan.Action) error {
	held, release := p.turns.Hold(ctx)
	defer release()
	return guarded(func() error { return p.worker.carryOut(held, slot, a) })
}

// end sets aside what was refused, unless everything was, and ends the counts of the log.
func (p *pass) end(err error) {
	if _, ok := errors.AsType[*denial.Error](err); !ok {
		p.worker.record.release(p.refusals.Rest())
	}
	p.worker.record.end()
}
