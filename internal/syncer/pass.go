package syncer

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/store"
	"syncd/internal/deadline"
	"syncd/internal/plan"
	"syncd/internal/syncer/ahead"
	"syncd/internal/syncer/denial"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/workers"
)

// pass is one traversal in progress.
type pass struct {
	planned  *planned
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
	walks  atomic.Int64 // number of parts being walked
}

// walk walks the parts of the plan, several at once.
//
// When ctx ends, walk takes no more actions. Copies in flight may continue for p.patience. If the
// listing of a part fails, the other parts are walked to their ends, and walk then returns the
// error. After an error that would affect every request, walk ends all parts.
func (p *pass) walk(ctx context.Context) error {
	patient, giveUp := deadline.Outlive(ctx, p.patience)
	defer giveUp()
	copies, working := workers.Start(patient, p.copy)
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
	saved := keepDoing(func() error {
		p.worker.record.release(p.refusals.Free(p.ledger.Stalled()))
		return save()
	})
	p.claims.walk = reading
	begin := func(slot *checkpoint.Slot, a plan.Action) { copies.Give(turn{slot, a}) }
	err := p.merging(reading, func() error {
		return p.planned.eachPart(reading, func(ctx context.Context, part planner.Part) error {
			err := p.walkPart(ctx, part, begin, save)
			if endsPass(err) {
				stop()
			}
			return err
		})
	})
	return firstCause(ctx, copies.Wait(), saved(), p.claims.wait(), err)
}

// merging calls do, and merges what the pass saves meanwhile.
func (p *pass) merging(ctx context.Context, do func() error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	merged := keepDoing(func() error {
		if err := p.ledger.MergeSaved(ctx); ctx.Err() == nil {
			return err
		}
		return nil // a later pass merges
	})
	err := guarded(do)
	stop()
	return firstCause(context.WithoutCancel(ctx), err, merged())
}

// endsPass reports whether an error of one part ends the walks of all parts.
func endsPass(err error) bool {
	_, isPanic := errors.AsType[*PanicError](err)
	_, isDamage := errors.AsType[*store.CorruptError](err) // the next attempt starts from another generation
	return isPanic || isDamage || awserr.Fatal(err) || errors.Is(err, checkpoint.ErrPassEnded)
}

// walkPart is the main loop of a pass. It takes each action of a part of the plan, carries it out,
// and saves the settled entries when a save is due. It calls begin for each action that sends
// requests.
func (p *pass) walkPart(ctx context.Context, part planner.Part, begin func(*checkpoint.Slot, plan.Action), save func() error) error {
	p.walks.Add(1)
	defer p.walks.Add(-1)
	walk, claims := p.ledger.Walk(part.Range().After), p.claims.begin(part)
	defer claims.end()
	for a, err := range ahead.Read(ctx, p.planned.actions(part, claims), p.aheadOfPart, guarded) {
		if err != nil {
			return err
		}
		slot, err := p.reserve(ctx, walk, claims, a)
		switch {
		case err != nil:
			return err
		case isCarried(a):
			p.worker.skip(slot, a)
		default:
			begin(slot, a)
		}
		if err := save(); err != nil {
			return err
		}
	}
	if ctx.Err() == nil {
		walk.End(part.Range().Until)
	}
	return ctx.Err()
}

// planAhead is the maximum number of planned actions, of all parts, whose copies have not started.
// Planning ahead lets copies start without waiting for a listing page; the maximum limits the memory
// of the plan.
const planAhead = 4096

// aheadOfPart returns how many actions of one part are planned ahead: an equal share of planAhead.
func (p *pass) aheadOfPart() int { return planAhead / int(max(1, p.walks.Load())) }

// isCarried reports whether the walk carries an action out without sending requests. Deletes follow
// after the walk.
func isCarried(a plan.Action) bool { return a.Kind == plan.Delete || a.Kind == plan.Skip && !a.Unsure }

// reserve reserves a slot in the ledger for an action. If the action is a copy, reserve also claims
// the key. If the action sends requests, reserve then waits for a turn. In each part turns are given
// in key order, and an action that has a turn is always carried out. Therefore a drain leaves no
// uncopied key of a part below a copied one.
func (p *pass) reserve(ctx context.Context, walk *checkpoint.Walk, claims *partClaims, a plan.Action) (*checkpoint.Slot, error) {
	claims.reserve()
	p.worker.record.release(p.refusals.Take(p.window))
	slot, err := walk.Reserve(ctx, a.Object.Key, a.Rows)
	if err == nil && !a.WasListed {
		slot.Gone()
	}
	if err != nil || isCarried(a) {
		return slot, err
	}
	if a.Kind == plan.Copy {
		if err := claims.ensure(ctx, a.Object.Key); err != nil {
			return nil, err
		}
	}
	if err := p.refusals.Wait(ctx); err != nil {
		return nil, err
	}
	return slot, p.turns.Acquire(ctx)
}

// turn is an action that sends requests, and that has a turn.
type turn struct {
	slot   *checkpoint.Slot
	action plan.Action
}

// copy carries out an action that sends requests, then releases its turn.
func (p *pass) copy(ctx context.Context, t turn) error {
	held, release := p.turns.Hold(ctx)
	defer release()
	return guarded(func() error { return p.worker.carryOut(held, t.slot, t.action) })
}

// end quarantines the objects that are still held, unless everything was refused, and logs the
// remaining counts.
func (p *pass) end(err error) {
	if _, ok := errors.AsType[*denial.Error](err); !ok {
		p.worker.record.release(p.refusals.Rest())
	}
	p.worker.record.end()
}
