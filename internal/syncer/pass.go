package syncer

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
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
)

// pass is one traversal under way.
type pass struct {
	*Syncer
	tally  *tally
	before throttle.Counts
	start  time.Time
	ledger *checkpoint.Pass
	rules  plan.Rules
	// expectNothing says that the ledger held nothing when the pass began.
	expectNothing bool
}

// run walks the pass to its end and commits it, or saves what is settled and says why it could not.
func (p *pass) run(ctx context.Context) error {
	ledger, err := p.openLedger(ctx)
	if err != nil {
		return firstCause(ctx, err)
	}
	p.tally.opened(ledger)
	p.expectNothing = ledger.Entries() == 0
	if p.rules, err = p.settle(ctx, ledger); err != nil {
		return firstCause(ctx, err)
	}
	if p.ledger, err = ledger.Begin(ctx); err != nil {
		return firstCause(ctx, err)
	}
	p.tally.began(p.ledger)
	if err := p.walk(ctx); err != nil {
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
	patient, giveUp := outlive(ctx, p.o.DrainTimeout)
	defer giveUp()
	copies, working := errgroup.WithContext(patient)
	turns := semaphore.NewWeighted(int64(p.o.Concurrency))
	reading, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(working, stop)() // a copy that ends the pass ends the reading too
	save := func() error {
		err := p.saveDue(working)
		if err != nil {
			giveUp() // what is copied from now on could not be remembered
		}
		return err
	}
	saved := keepSaved(save)

	err := p.each(reading, func(a plan.Action) error {
		slot, err := p.ledger.Reserve(reading, a.Object.Key)
		switch {
		case err != nil:
			return err
		case a.Kind == plan.Skip:
			p.skip(slot, a)
			return save()
		}
		// Turns are given in key order, and whoever has one copies: a drain leaves no hole below what was copied.
		if err := turns.Acquire(reading, 1); err != nil {
			return err
		}
		copies.Go(func() error {
			defer turns.Release(1)
			return p.copy(working, slot, a)
		})
		return save()
	})
	return firstCause(ctx, copies.Wait(), saved(), err)
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
	source := p.o.Source.List(ctx, listing.Range{After: p.ledger.Mark()})
	actions := p.besideDestination(ctx, plan.Diff(source, p.ledger.Previous(ctx), p.rules))
	return func(yield func(plan.Action, error) bool) {
		for a, err := range actions {
			if err != nil {
				yield(a, err)
				return
			}
			p.tally.list(a)
			p.count.actions.WithLabelValues(string(a.Reason)).Inc()
			if !yield(a, nil) {
				return
			}
		}
		p.tally.listedAll()
		p.count.lastListing.WithLabelValues().Set(unix(p.o.Now()))
	}
}

func (p *pass) skip(slot *checkpoint.Slot, a plan.Action) {
	keep(slot, a)
	if !a.Listed() {
		return
	}
	p.tally.skipped(a.Reason)
	outcome := outcomeSkipped
	if a.Reason == plan.Unchanged {
		outcome = outcomeUnchanged
	}
	p.count.objects.WithLabelValues(outcome).Inc()
}

// keep leaves the ledger as it is: an object that is skipped still lies in the destination as it was copied last.
func keep(slot *checkpoint.Slot, a plan.Action) {
	if a.Previous == nil {
		slot.Drop()
		return
	}
	slot.Carry(*a.Previous)
}

// copy copies one object and settles its slot. An error ends the pass; the failure of the object alone is none.
func (p *pass) copy(ctx context.Context, slot *checkpoint.Slot, a plan.Action) error {
	p.count.inFlight.Inc()
	defer p.count.inFlight.Dec()
	start := p.o.Now()
	if adopted, err := p.adopt(ctx, slot, a); adopted || err != nil {
		return err
	}
	result, err := p.o.Copier.Copy(ctx, a.Object)
	switch {
	case err == nil:
		p.record(slot, a, result)
		p.o.Logger.Debug("object copied", "key", a.Object.Key, "bytes", a.Object.Size, "reason", a.Reason, "duration", p.o.Now().Sub(start))
		return nil
	case awserr.Fatal(err), ctx.Err() != nil:
		return err // the slot stays unsettled: a resumed pass takes the object up again
	case awserr.Classify(err) == awserr.Gone:
		keep(slot, a)
		p.tally.skipped(plan.Gone)
		p.count.objects.WithLabelValues(outcomeSkipped).Inc()
		return nil
	default:
		p.quarantine(slot, a, err)
		return nil
	}
}

func (p *pass) record(slot *checkpoint.Slot, a plan.Action, r copier.Result) {
	slot.Record(entryOf(a, r))
	p.tally.copied(r.Object.Size)
	p.count.objects.WithLabelValues(outcomeCopied).Inc()
	p.count.bytes.Add(float64(r.Object.Size))
}

func entryOf(a plan.Action, r copier.Result) checkpoint.Entry {
	return checkpoint.Entry{
		Key: a.Object.Key, SourceETag: r.Object.ETag, SourceSize: r.Object.Size, SourceLastModified: r.Object.LastModified,
		DestinationETag: r.DestinationETag, DestinationVersionID: r.DestinationVersionID,
		KeyARN: r.KeyARN, BucketKey: r.BucketKey, Checksum: r.Checksum, CopiedAt: r.CopiedAt,
	}
}

// quarantine sets the object aside. The ledger forgets what it knew of its copy: a request whose answer was lost may have
// replaced that, and an entry would then vouch for what is no longer there.
func (p *pass) quarantine(slot *checkpoint.Slot, a plan.Action, err error) {
	reason, now := copier.Reason(err), p.o.Now()
	slot.Quarantine(checkpoint.Quarantined{
		Key: a.Object.Key, SourceETag: a.Object.ETag, SourceSize: a.Object.Size,
		Reason: reason, Detail: err.Error(), FirstAt: now, LastAt: now, Attempts: 1,
	}, nil)
	p.tally.quarantined(reason)
	p.count.objects.WithLabelValues(outcomeQuarantined).Inc()
	p.count.quarantined.WithLabelValues(reason).Inc()
	p.o.Logger.Warn("object quarantined", "key", a.Object.Key, "reason", reason, "err", err)
}

// commit makes the pass the ledger's next generation. A drain that comes now gives it as long as it gives a copy.
func (p *pass) commit(ctx context.Context, ledger *checkpoint.Ledger) error {
	patient, giveUp := outlive(ctx, p.o.DrainTimeout)
	defer giveUp()
	generation, err := p.ledger.Commit(patient)
	if err != nil {
		return firstCause(ctx, err)
	}
	p.tally.committed(generation)
	p.count.generation.Set(float64(generation))
	p.count.entries.Set(float64(ledger.Entries()))
	return nil
}

// save keeps what is settled of a pass that does not reach its end, and returns why it does not. It outlives ctx, which
// may be why.
func (p *pass) save(ctx context.Context, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	err := p.ledger.Abandon(ctx)
	switch {
	case err == nil:
		return cause
	case errors.Is(cause, ErrDrained), errors.Is(err, cause):
		return err // a drain that saves nothing is none; and a ledger that failed says so again
	default:
		return errors.Join(cause, err)
	}
}

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
			if err := save(); err != nil {
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
	patient, giveUp := outlive(ctx, saveTimeout)
	defer giveUp()
	return p.ledger.Flush(patient)
}
