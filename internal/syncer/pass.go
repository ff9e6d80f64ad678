package syncer

import (
	"context"
	"errors"
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/copier"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/throttle"
)

const (
	// planAhead is how many actions the plan may be ahead of the copies, so that these need not wait for a page of the
	// listing; it bounds the memory for them.
	planAhead = 8192
	// flushCheck is how often it is looked at whether settled entries are due to be saved.
	flushCheck = 500 * time.Millisecond
	// saveTimeout bounds a save once the context of its pass has ended; before, it may take as long as a large ledger needs.
	saveTimeout = 10 * time.Second
	// saveShare is the part of a drain that is kept for the save, up to saveTimeout: what is copied and not saved is lost.
	saveShare = 5
)

// pass is one traversal under way.
type pass struct {
	*Syncer
	log    *slog.Logger // names the pass, once it has a number
	tally  *tally
	before throttle.Counts
	start  time.Time // by Options.Now
	began  time.Time // by the clock that the service's is compared with
	ledger *checkpoint.Pass
	rules  plan.Rules
	former formerly
	// expectNothing says that the ledger held nothing when the pass began.
	expectNothing bool
	// order is what the pass was asked for with.
	order Order
	// replay chooses what is tried again of the quarantine by a pass over nothing else; nil in one over the whole source.
	replay Selector
	// usedParts says that an object was copied in parts, and hasLost that an earlier pass may have begun uploads whose ids were
	// lost.
	usedParts atomic.Bool
	hasLost   bool
	// hidden says that the destination was to be listed for what an earlier process left, and was not.
	hidden atomic.Bool
	// claims has keys claimed before they are copied.
	claims claims
	// refusals are objects that were refused in turn, trials what was tried elsewhere for it.
	refusals refusals
	trials   trials
	// told keeps the log short.
	told told
}

// run walks the pass to its end and commits it, or saves what is settled and says why it could not.
func (p *pass) run(ctx context.Context) error {
	ledger, err := p.openLedger(ctx)
	if err != nil {
		return firstCause(ctx, err)
	}
	p.expectNothing = ledger.Entries() == 0
	if p.replay == nil {
		p.tally.opened(ledger.Generation(), ledger.Entries())
		p.backlog.begin()
	} else if hasWork, err := p.beginReplay(ctx, ledger); err != nil {
		return firstCause(ctx, err)
	} else if !hasWork {
		return nil // and no generation is made of it
	}
	if err := p.begin(ctx, ledger); err != nil {
		return firstCause(ctx, err)
	}
	p.claims.save = p.claim
	p.log = p.log.With("pass", p.ledger.Number())
	p.tally.began(p.ledger)
	if err := p.stillRefused(ctx); err != nil {
		return p.save(ctx, firstCause(ctx, err))
	}
	err = p.walk(ctx)
	p.endWalk(err)
	if err != nil {
		return p.save(ctx, err)
	}
	if err := p.tally.summary().check(); err != nil {
		return p.save(ctx, err)
	}
	return p.commit(ctx, ledger)
}

// walk is the heart: it takes each action of the plan, carries it out, and has what is settled saved when it is due.
//
// When ctx ends no further action is taken; copies in flight go on for as long as a drain may take.
func (p *pass) walk(ctx context.Context) error {
	patient, giveUp := outlive(ctx, p.o.DrainTimeout-p.saveTime())
	defer giveUp()
	copies, working := errgroup.WithContext(patient)
	turns := p.o.Turns
	reading, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(working, stop)() // a copy that ends the pass ends the reading too
	// A save is of the pass, not of its copies: when the last of these has ended, a save that has begun goes on to its end.
	save := func() error {
		p.told.due(p.log, p.o.Now())
		err := p.saveDue(ctx)
		if err != nil {
			giveUp() // what is copied from now on could not be remembered
		}
		return err
	}
	saved := keepSaved(save)

	taken := 0
	take := func(a plan.Action) error {
		taken++
		p.release(p.refusals.take(a.Object.Key, p.holdFor()))
		slot, err := p.ledger.Reserve(reading, a.Object.Key)
		switch {
		case err != nil:
			return err
		case a.Kind == plan.Skip && !a.Unsure:
			p.skip(slot, a)
			return save()
		case a.Kind == plan.Copy:
			if err := p.claims.ensure(reading, a.Object.Key, taken); err != nil {
				return err
			}
		}
		if err := p.refusals.wait(reading); err != nil {
			return err
		}
		// Turns are given in key order, and whoever has one copies: a drain leaves no hole below what was copied.
		if err := turns.Acquire(reading); err != nil {
			return err
		}
		copies.Go(func() error {
			held, release := turns.Hold(working)
			defer release()
			return guarded(func() error { return p.carryOut(held, slot, a) })
		})
		return save()
	}
	err := guarded(func() error { return p.each(reading, take) })
	return firstCause(ctx, copies.Wait(), saved(), p.claims.wait(), err)
}

// endWalk sets aside what was refused, unless everything was, and ends the counts of the log.
func (p *pass) endWalk(err error) {
	if _, ok := errors.AsType[*RefusedError](err); !ok {
		p.release(p.refusals.all())
	}
	p.told.end(p.log, p.o.Now())
}

// each plans ahead and calls do for every action in key order.
func (p *pass) each(ctx context.Context, do func(plan.Action) error) error {
	for a, err := range readAhead(ctx, p.planned, planAhead) {
		if err != nil {
			return err
		}
		if err := do(a); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// planned yields the plan and books each action of it.
func (p *pass) planned(ctx context.Context) plan.Actions {
	actions := p.plan(ctx)
	return func(yield func(plan.Action, error) bool) {
		for a, err := range actions {
			if err != nil {
				yield(a, err)
				return
			}
			p.tally.list(a)
			p.claims.plan(a.Object.Key)
			if a.Kind == plan.Copy {
				p.backlog.plan(a.Object)
			}
			p.count.actions.WithLabelValues(string(a.Reason)).Inc()
			if !yield(a, nil) {
				return
			}
		}
		p.tally.listedAll()
		p.claims.plan("")
		if p.replay == nil {
			p.count.lastListing.WithLabelValues().Set(unix(p.o.Now()))
			p.backlog.known()
		}
	}
}

func (p *pass) plan(ctx context.Context) plan.Actions {
	if p.replay != nil {
		return plan.Replay(ctx, p.ledger.Previous(ctx), p.ledger.PreviousQuarantine(ctx), p.o.Copier.Look, p.rules)
	}
	return p.compare(ctx, p.ledger)
}

// known is what the ledger tells a pass of those before it.
type known interface {
	Number() int64
	Mark() string
	Memo() string
	Claims() []record.Claim
	Base(ctx context.Context) iter.Seq2[record.Entry, error]
	Previous(ctx context.Context) iter.Seq2[record.Entry, error]
	PreviousQuarantine(ctx context.Context) iter.Seq2[record.Quarantined, error]
}

// compare plans a pass over the source from what is known of those before. Passes that are only looked at begin here too.
func (p *pass) compare(ctx context.Context, k known) plan.Actions {
	source := p.o.Source.List(ctx, listing.Range{After: k.Mark()})
	actions := plan.Diff(source, k.Previous(ctx), k.PreviousQuarantine(ctx), p.rules)
	return p.besideDestination(ctx, k, p.inherit(ctx, k, actions))
}

// copy copies one object and settles its slot. An error ends the pass; the failure of the object alone is none.
func (p *pass) copy(ctx context.Context, slot *checkpoint.Slot, a plan.Action) error {
	p.count.inFlight.Inc()
	defer p.count.inFlight.Dec()
	start, number := p.o.Now(), p.refusals.begin()
	result, ours, inTurn, err := p.copyOnce(ctx, slot, a)
	switch {
	case err == nil && result.Adopted:
		p.adopted(slot, a, result)
	case err == nil:
		p.record(slot, a, result)
		took := p.o.Now().Sub(start)
		p.count.copyDuration.Observe(took.Seconds())
		p.log.Debug("object copied", "key", a.Object.Key, "bytes", a.Object.Size, "reason", a.Reason, "duration", took)
	case awserr.Fatal(err), ctx.Err() != nil, errors.Is(err, store.ErrLeaseLost):
		return err // the slot stays unsettled: a resumed pass copies the object
	case awserr.Classify(err) == awserr.Gone:
		if err := p.vanished(ctx, slot, a, ours); err != nil {
			return err
		}
	case isShared(copier.Reason(err)):
		return p.refuse(ctx, slot, a, p.aside(a, ours, err), err)
	default:
		p.quarantine(slot, a, ours, err)
	}
	if err == nil && inTurn {
		p.release(p.refusals.copied(number, result.Object))
	}
	p.backlog.settle(a.Object.Key)
	return nil
}

// carryOut does what an action takes requests for. An error ends the pass.
func (p *pass) carryOut(ctx context.Context, slot *checkpoint.Slot, a plan.Action) error {
	switch {
	case a.Kind == plan.Skip:
		if err := p.settleGone(ctx, slot, a, targetOf(a)); err != nil {
			return err
		}
		p.skipped(a)
		return nil
	case a.Reason == plan.Unproven:
		proved, err := p.o.Copier.Proved(ctx, *a.Previous, targetOf(a), len(a.Claimed.OtherKeys) > 0)
		if err != nil {
			return err
		}
		if proved {
			p.proved(slot, a)
			return nil
		}
	}
	return p.copy(ctx, slot, a)
}

// commit makes the pass the ledger's next generation. A drain that comes now gives it as long as it gives a copy.
func (p *pass) commit(ctx context.Context, ledger *checkpoint.Ledger) error {
	patient, giveUp := outlive(ctx, p.o.DrainTimeout)
	defer giveUp()
	if err := p.abortUploads(patient); err != nil {
		return firstCause(ctx, err)
	}
	if p.replay == nil {
		p.ledger.ReplaceClaims(p.left)
	}
	generation, err := p.ledger.Commit(patient)
	if err != nil {
		return firstCause(ctx, err)
	}
	p.sweepUploads(patient)
	p.tally.committed(generation)
	p.count.committed(generation, ledger.Entries())
	if p.replay == nil {
		p.backlog.end()
	}
	p.showQuarantine(patient)
	return nil
}

// save keeps what is settled of a pass that does not reach its end, and returns why it does not. It outlives ctx, which
// may be why.
func (p *pass) save(ctx context.Context, cause error) error {
	if _, ok := errors.AsType[*PanicError](cause); ok {
		return cause // what is in memory may be half done; what was saved before is whole
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.saveTime())
	defer cancel()
	var err error
	if refused, ok := errors.AsType[*RefusedError](cause); ok && refused.record != nil && p.replay == nil {
		err = p.ledger.Refuse(ctx, *refused.record)
	}
	err = errors.Join(err, p.ledger.Abandon(ctx))
	switch {
	case err == nil:
		return cause
	case errors.Is(cause, ErrDrained), errors.Is(err, cause):
		return err // a drain that saves nothing is none; and a ledger that failed says so again
	default:
		return errors.Join(cause, err)
	}
}

// saveTime returns how long a save may take once the pass drains.
func (p *pass) saveTime() time.Duration { return min(saveTimeout, p.o.DrainTimeout/saveShare) }

// keepSaved saves settled entries when they are due also while the walk waits for a page or for a slow copy, until the
// returned func is called; that waits and returns the first error.
func keepSaved(save func() error) (wait func() error) {
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		tick := time.NewTicker(flushCheck)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				ended <- nil
				return
			case <-tick.C:
			}
			if err := guarded(save); err != nil {
				ended <- err
				return
			}
		}
	}()
	return func() error {
		close(stop)
		return <-ended
	}
}

// saveDue saves what is settled when it is due. The walk asks before each action, so that no more than the ledger's limit
// and the copies in flight are ever unsaved. A save that has begun is not cut short: half a save is a failed one.
func (p *pass) saveDue(ctx context.Context) error {
	if !p.ledger.Due() {
		return nil
	}
	patient, giveUp := outlive(ctx, p.saveTime())
	defer giveUp()
	return p.ledger.FlushDue(patient)
}
