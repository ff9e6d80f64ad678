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
	// patience is how long copies in flight may continue once the pass drains.
	patience time.Duration
	// window is how many actions the walk may take while a refused object is held.
	window int
	taken  int // number of actions taken
}

// walk is the main loop of a pass. It takes each action of the plan, carries it out, and saves the
// settled entries when a save is due.
//
// When ctx ends, walk takes no more actions. Copies in flight may continue for p.patience.
func (p *pass) walk(ctx context.Context) error {
	patient, giveUp := outlive(ctx, p.patience)
	defer giveUp()
	copies, working := errgroup.WithContext(patient)
	reading, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(working, stop)() // a copy that ends the pass also stops the plan
	// Saves use ctx and not the context of the copies, which ends with the last copy, because a
	// save in progress must be completed.
	save := func() error {
		err := p.saver.save(ctx)
		if err != nil {
			giveUp() // copies made after a failed save could not be recorded
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

// isCarried reports whether an action is carried out without sending requests.
func isCarried(a plan.Action) bool { return a.Kind == plan.Skip && !a.Unsure }

// reserve reserves a slot in the ledger for an action. If the action is a copy, reserve also claims
// the key. If the action sends requests, reserve then waits for a turn. Turns are given in key
// order, and an action that has a turn is always carried out. Therefore a drain leaves no uncopied
// key below a copied one.
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

// copy carries out an action that sends requests, then releases its turn.
func (p *pass) copy(ctx context.Context, slot *checkpoint.Slot, a plan.Action) error {
	held, release := p.turns.Hold(ctx)
	defer release()
	return guarded(func() error { return p.worker.carryOut(held, slot, a) })
}

// end quarantines the objects that are still held, unless everything was refused, and logs the
// remaining counts.
func (p *pass) end(err error) {
	if _, ok := errors.AsType[*denial.Error](err); !ok {
		p.worker.record.release(p.refusals.Rest())
	}
	p.worker.record.end()
}
