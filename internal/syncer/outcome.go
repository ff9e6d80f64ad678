package syncer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/copier"
	"syncd/internal/copier/request"
	"syncd/internal/plan"
)

func (p *pass) skip(slot *checkpoint.Slot, a plan.Action) {
	if a.Holds() {
		slot.Hold(*a.SetAside, a.Previous)
	} else {
		keep(slot, a)
	}
	p.skipped(a)
}

func (p *pass) skipped(a plan.Action) {
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
		p.refusals.unchanged(a.Object)
		outcome = outcomeUnchanged
	}
	p.count.objects.WithLabelValues(outcome).Inc()
}

// keep leaves the ledger as it is: of an object that is skipped the destination still has the copy that was made last.
func keep(slot *checkpoint.Slot, a plan.Action) {
	switch {
	case a.Previous != nil:
		slot.Carry(*a.Previous)
	case a.Inherited != nil:
		slot.Record(*a.Inherited)
	default:
		slot.Drop()
	}
}

// targetOf is what is known of the destination's key before an object is copied.
func targetOf(a plan.Action) copier.Target {
	t := copier.Target{
		Listed: a.WasListed, ListedAfter: a.ListedAfter, Looked: a.Looked, Present: a.Present,
		OursSince: a.Claimed.Since, OursUnder: a.Claimed.OtherKeys,
	}
	for _, entry := range []*checkpoint.Entry{a.Previous, a.Inherited} {
		if entry != nil {
			t.Known = cmp.Or(t.Known, entry.DestinationETag)
		}
	}
	if q := a.SetAside; q != nil {
		t.Known = cmp.Or(t.Known, q.DestinationETag)
		t.OursSince = earlier(t.OursSince, writtenSince(q))
	}
	return t
}

// writtenSince is the row's, which has a zero time in the form of the year 1.
func writtenSince(q *checkpoint.Quarantined) time.Time {
	if q.WrittenSince.Year() <= 1 {
		return time.Time{}
	}
	return q.WrittenSince
}

// vanished settles an object that was gone when it was to be copied.
func (p *pass) vanished(ctx context.Context, slot *checkpoint.Slot, a plan.Action, ours copier.Ours) error {
	target := targetOf(a)
	target.OursSince = earlier(target.OursSince, ours.Since)
	if err := p.settleGone(ctx, slot, a, target); err != nil {
		return err
	}
	p.tally.skipped(plan.Gone)
	p.count.objects.WithLabelValues(outcomeSkipped).Inc()
	return nil
}

// settleGone settles an object that has no copy to be made, and of which the ledger does not know what is at the destination: it is
// gone from the source, or skipped. A copy whose answer was lost may have replaced the one that the ledger knows, which is then not
// kept; what is there in its place is syncd's own all the same.
func (p *pass) settleGone(ctx context.Context, slot *checkpoint.Slot, a plan.Action, target copier.Target) error {
	if target.OursSince.IsZero() && (target.Known == "" || a.Previous != nil || a.Inherited != nil) {
		keep(slot, a) // nothing was written
		return nil
	}
	left, err := p.o.Copier.LeftOf(ctx, a.Object.Key, target)
	switch {
	case awserr.Fatal(err), ctx.Err() != nil:
		return err
	case err != nil: // the next pass asks again
		slot.Quarantine(p.aside(a, copier.Ours{ETag: target.Known, Since: target.OursSince}, err), nil)
	case left.Intact && a.Previous != nil:
		slot.Carry(*a.Previous)
	case left.Entry != nil:
		slot.Record(*left.Entry)
	case left.Intact && a.Inherited != nil:
		slot.Record(*a.Inherited)
	case left.Intact:
		slot.Quarantine(p.aside(a, copier.Ours{ETag: target.Known, Since: target.OursSince}, errKept), nil)
	default:
		slot.Drop()
	}
	return nil
}

// errKept is why an object without a source is in quarantine: its row is all that says whose the copy is.
var errKept = errors.New("the source is gone, and the role may not read the copy that is still there")

// proved settles an object whose recorded copy is still there.
func (p *pass) proved(slot *checkpoint.Slot, a plan.Action) {
	slot.Carry(*a.Previous)
	p.tally.skipped(plan.Unchanged)
	p.count.objects.WithLabelValues(outcomeUnchanged).Inc()
	p.backlog.settle(a.Object.Key)
}

// adopted records what the destination held already.
func (p *pass) adopted(slot *checkpoint.Slot, a plan.Action, r copier.Result) {
	slot.Record(entryOf(a, r))
	p.tally.adopted()
	p.count.objects.WithLabelValues(outcomeAdopted).Inc()
}

func (p *pass) record(slot *checkpoint.Slot, a plan.Action, r copier.Result) {
	slot.Record(entryOf(a, r))
	p.note(a.Object.Key, r.Notes)
	if slices.Contains(r.Notes, copier.NoteRetentionCut) {
		p.count.shortened.Inc()
	}
	if r.Parts > 0 {
		p.usedParts.Store(true)
	}
	if r.Unconditional != "" {
		p.unconditional(r.Unconditional)
	}
	p.tally.copied(r.Object.Size)
	p.count.objects.WithLabelValues(outcomeCopied).Inc()
	p.count.bytes.Add(float64(r.Object.Size))
	p.count.cost.Add(p.quoter.Beyond(r.Object)) // its requests were counted when they were sent
}

// note logs what could not be carried over. The first object of each kind is logged, and how many follow.
func (p *pass) note(key string, notes []string) {
	if len(notes) == 0 {
		return
	}
	isFirst := p.told.first(fmt.Sprint("notes ", notes), p.o.Now(), func(log *slog.Logger, since, all int64) {
		log.Info("objects copied with notes", "notes", notes, "objects", since, "total", all)
	})
	if isFirst {
		p.log.Info("object copied with notes", "key", key, "notes", notes)
	} else {
		p.log.Debug("object copied with notes", "key", key, "notes", notes)
	}
}

func entryOf(a plan.Action, r copier.Result) checkpoint.Entry {
	return checkpoint.Entry{
		Key: a.Object.Key, Source: r.Object.Version,
		DestinationETag: r.DestinationETag, DestinationVersionID: r.DestinationVersionID,
		KeyARN: r.KeyARN, BucketKey: r.BucketKey, Checksum: r.Checksum, CopiedAt: r.CopiedAt,
	}
}

// aside is the row of an object that is set aside.
func (p *pass) aside(a plan.Action, ours copier.Ours, err error) checkpoint.Quarantined {
	now := p.o.Now()
	return checkpoint.Quarantined{
		Key: a.Object.Key, Source: a.Object.Version,
		Reason: copier.Reason(err), Detail: err.Error(), FirstAt: now, LastAt: now, Attempts: 1,
		DestinationETag: ours.ETag, WrittenSince: ours.Since,
	}
}

// unconditional notes a copy that was written without the condition that protects what others put there.
func (p *pass) unconditional(why string) {
	p.count.unconditional.Inc()
	if !p.toldUnconditional.Swap(true) {
		p.o.Logger.Warn("copies replace what others write to the destination meanwhile", "why", why)
	}
}

// quarantine sets the object aside. The ledger has no entry of it any more: a request whose answer was lost may have replaced
// the copy that the entry was of. What is syncd's own there all the same, the row says.
func (p *pass) quarantine(slot *checkpoint.Slot, a plan.Action, ours copier.Ours, err error) {
	p.setAside(slot, p.aside(a, ours, err))
	if bug, ok := errors.AsType[*request.PanicError](err); ok && p.told.firstPanic() {
		p.log.Error("copying panicked", "key", a.Object.Key, "err", bug, "stack", string(bug.Stack))
	}
}

// setAside enters a row of quarantine. The first of each reason is logged, and how many follow: there may be millions.
func (p *pass) setAside(slot *checkpoint.Slot, row checkpoint.Quarantined) {
	slot.Quarantine(row, nil)
	p.backlog.setAside(row.LastAt)
	p.tally.quarantined(row.Reason)
	p.count.objects.WithLabelValues(outcomeQuarantined).Inc()
	p.count.quarantined.WithLabelValues(row.Reason).Inc()
	isFirst := p.told.first("reason "+row.Reason, p.o.Now(), func(log *slog.Logger, since, all int64) {
		log.Warn("objects quarantined", "reason", row.Reason, "objects", since, "total", all)
	})
	if isFirst {
		p.log.Warn("object quarantined", "key", row.Key, "reason", row.Reason, "err", row.Detail)
	} else {
		p.log.Debug("object quarantined", "key", row.Key, "reason", row.Reason, "err", row.Detail)
	}
}
