package syncer

import (
	"context"
	"errors"

	"syncd/internal/checkpoint"
	"syncd/internal/copier"
	"syncd/internal/plan"
)

func (p *pass) skip(slot *checkpoint.Slot, a plan.Action) {
	if a.Holds() {
		slot.Hold(*a.SetAside, a.Previous)
	} else {
		keep(slot, a)
	}
	switch {
	case !a.Listed():
		return
	case a.Reason == plan.Held:
		p.tally.held(a.SetAside.Reason)
		p.count.objects.WithLabelValues(outcomeHeld).Inc()
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

// vanished settles an object that was gone when it was to be copied. A request whose answer was lost may have replaced the
// copy before, and the ledger then must not vouch for that.
func (p *pass) vanished(ctx context.Context, slot *checkpoint.Slot, a plan.Action) error {
	if a.Previous != nil {
		intact, err := p.o.Copier.Intact(ctx, *a.Previous)
		if err != nil {
			return err
		}
		if !intact {
			a.Previous = nil
		}
	}
	keep(slot, a)
	p.tally.skipped(plan.Gone)
	p.count.objects.WithLabelValues(outcomeSkipped).Inc()
	return nil
}

func (p *pass) record(slot *checkpoint.Slot, a plan.Action, r copier.Result) {
	slot.Record(entryOf(a, r))
	if len(r.Notes) > 0 {
		p.log.Info("object copied with notes", "key", a.Object.Key, "notes", r.Notes)
	}
	if r.Parts > 0 {
		p.usedParts.Store(true)
	}
	p.tally.copied(r.Object.Size)
	p.count.objects.WithLabelValues(outcomeCopied).Inc()
	p.count.bytes.Add(float64(r.Object.Size))
	p.count.cost.Add(p.quoter.Beyond(r.Object)) // its requests were counted when they were sent
}

func entryOf(a plan.Action, r copier.Result) checkpoint.Entry {
	return checkpoint.Entry{
		Key: a.Object.Key, Source: r.Object.Version,
		DestinationETag: r.DestinationETag, DestinationVersionID: r.DestinationVersionID,
		KeyARN: r.KeyARN, BucketKey: r.BucketKey, Checksum: r.Checksum, CopiedAt: r.CopiedAt,
	}
}

// quarantine sets the object aside. The ledger forgets what it knew of its copy: a request whose answer was lost may have
// replaced that, and an entry would then vouch for what is no longer there.
func (p *pass) quarantine(slot *checkpoint.Slot, a plan.Action, err error) {
	reason, now := copier.Reason(err), p.o.Now()
	slot.Quarantine(checkpoint.Quarantined{
		Key: a.Object.Key, Source: a.Object.Version,
		Reason: reason, Detail: err.Error(), FirstAt: now, LastAt: now, Attempts: 1,
	}, nil)
	p.backlog.setAside(now)
	p.tally.quarantined(reason)
	p.count.objects.WithLabelValues(outcomeQuarantined).Inc()
	p.count.quarantined.WithLabelValues(reason).Inc()
	p.log.Warn("object quarantined", "key", a.Object.Key, "reason", reason, "err", err)
	if bug, ok := errors.AsType[*copier.PanicError](err); ok {
		p.log.Error("copying panicked", "key", a.Object.Key, "err", bug, "stack", string(bug.Stack))
	}
}
