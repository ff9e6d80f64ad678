package syncer

import (
	"context"
	"errors"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/copier"
	"syncd/internal/plan"
	"syncd/internal/syncer/denial"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/verify"
)

// prover checks which object the destination contains.
type prover interface {
	Proved(ctx context.Context, e record.Entry, target copier.Target, otherKey bool) (bool, error)
	LeftOf(ctx context.Context, sourceKey string, target copier.Target) (copier.Left, error)
	verify.Inspector
}

// worker carries out actions and hands the results to the recorder.
type worker struct {
	prover   prover
	refusals *denial.Detector
	record   *recorder
	found    *verify.Findings // of a pass that verifies the destination, otherwise nil
	now      func() time.Time
}

// skip carries out an action that sends no requests.
func (w *worker) skip(slot *checkpoint.Slot, a plan.Action) {
	if a.Holds() {
		slot.Hold(*a.SetAside, a.Previous)
	} else {
		carryOver(slot, a)
	}
	w.skipped(a)
}

func (w *worker) skipped(a plan.Action) {
	w.record.skipped(a)
	w.refusals.Skipped(a)
}

// carryOut carries out an action that sends requests. An error ends the pass.
func (w *worker) carryOut(ctx context.Context, slot *checkpoint.Slot, a plan.Action) error {
	switch {
	case a.Kind == plan.Skip:
		if err := w.recordLeft(ctx, slot, a, planner.TargetOf(a)); err != nil {
			return err
		}
		w.skipped(a)
		return nil
	case a.Reason == plan.Unproven:
		isThere, err := w.prover.Proved(ctx, *a.Previous, planner.TargetOf(a), len(a.Claimed.OtherKeys) > 0)
		if err != nil {
			return err
		}
		return w.unlessIntact(ctx, slot, a, isThere)
	default:
		return w.unlessIntact(ctx, slot, a, a.Reason == plan.Inspected)
	}
}

// unlessIntact inspects the object at the destination, if the action requires it, and copies the object unless
// its recorded copy is there and has no differences.
func (w *worker) unlessIntact(ctx context.Context, slot *checkpoint.Slot, a plan.Action, isThere bool) error {
	if a.Inspect {
		isDamaged, hasMoved, err := w.found.Inspect(ctx, w.prover, a.Object, a.Copied())
		if err != nil {
			return err
		}
		a.IsDamaged = isDamaged || hasMoved
	}
	if isThere && !a.IsDamaged {
		w.record.proved(slot, a)
		return nil
	}
	return w.copy(ctx, slot, a)
}

// copy copies one object and settles its slot. An error ends the pass; a failure that concerns only
// this object is recorded and returns nil.
func (w *worker) copy(ctx context.Context, slot *checkpoint.Slot, a plan.Action) error {
	defer w.record.inFlight()()
	start, number := w.now(), w.refusals.Begin()
	result, ours, inTurn, err := w.refusals.Copy(ctx, slot, a)
	switch {
	case err == nil && result.Adopted:
		if err := w.adopted(ctx, slot, a, result); err != nil {
			return err
		}
	case err == nil:
		w.record.copied(slot, a, result, w.now().Sub(start))
	case awserr.Fatal(err), ctx.Err() != nil, errors.Is(err, store.ErrLeaseLost):
		return err // the slot stays unsettled: a resumed pass copies the object
	case awserr.Classify(err) == awserr.Gone:
		if err := w.vanished(ctx, slot, a, ours); err != nil {
			return err
		}
	case denial.IsShared(copier.Reason(err)):
		released, err := w.refusals.Refused(ctx, a, denial.Held{Slot: slot, Row: w.record.row(a, ours, err)}, err)
		w.record.release(released)
		return err
	default:
		w.record.failed(slot, a, ours, err)
	}
	if err == nil && inTurn {
		w.record.release(w.refusals.Copied(number, result.Object))
	}
	w.record.done(a.Object.Key)
	return nil
}

// adopted records an object that can be adopted. If the verification inspects it and finds differences, it is
// not adopted, and the source object is copied, if the object there may be replaced.
func (w *worker) adopted(ctx context.Context, slot *checkpoint.Slot, a plan.Action, result copier.Result) error {
	if a.Inspect || w.found == nil || !w.found.Inspects(a.Object.Key) {
		w.record.adopted(slot, a, result)
		return nil
	}
	entry := adoptedEntry(a, result)
	isDamaged, hasMoved, err := w.found.Inspect(ctx, w.prover, result.Object, entry)
	if err != nil {
		return err
	}
	if !isDamaged && !hasMoved {
		w.record.adopted(slot, a, result)
		return nil
	}
	there := result.Object
	there.ETag, there.LastModified = entry.DestinationETag, entry.CopiedAt
	a.Object, a.Looked, a.Present, a.IsDamaged, a.Claimed.Proved = result.Object, true, &there, true, false
	return w.copy(ctx, slot, a)
}

// vanished settles an object that was deleted from the source before it could be copied.
func (w *worker) vanished(ctx context.Context, slot *checkpoint.Slot, a plan.Action, ours copier.Ours) error {
	target := planner.TargetOf(a)
	target.OursSince = record.Earlier(target.OursSince, ours.Since)
	if err := w.recordLeft(ctx, slot, a, target); err != nil {
		return err
	}
	w.record.gone()
	return nil
}

// recordLeft settles an object that is not copied because it is gone from the source or skipped. If
// no copy or delete request was sent for it, recordLeft carries over its ledger entry. Otherwise a copy
// request whose response was lost may have replaced the recorded copy. In that case recordLeft
// checks the destination and records that the object there belongs to syncd.
func (w *worker) recordLeft(ctx context.Context, slot *checkpoint.Slot, a plan.Action, target copier.Target) error {
	if !a.Claimed.Deleted && target.OursSince.IsZero() && (target.Known == "" || a.Previous != nil || a.Inherited != nil) {
		carryOver(slot, a)
		return nil
	}
	left, err := w.prover.LeftOf(ctx, a.Object.Key, target)
	switch {
	case awserr.Fatal(err), ctx.Err() != nil:
		return err
	case err != nil: // the next pass checks again
		slot.Quarantine(w.record.row(a, copier.Ours{ETag: target.Known, Since: target.OursSince}, err), nil)
	case left.Intact && a.Previous != nil:
		slot.Carry(*a.Previous)
	case left.Entry != nil:
		slot.Record(entryLeft(a, left))
	case left.Intact && a.Inherited != nil:
		slot.Record(*a.Inherited)
	case left.Intact:
		slot.Quarantine(w.record.row(a, copier.Ours{ETag: target.Known, Since: target.OursSince}, errUnreadableCopy), nil)
	default:
		slot.Drop()
	}
	return nil
}

// entryLeft returns the entry of an object that was left at the destination. It can be deleted only if
// a process was about to copy the key, and if the object that it replaced could be deleted. Otherwise a claim
// shows only that syncd may have written the object.
func entryLeft(a plan.Action, left copier.Left) record.Entry {
	entry := *left.Entry
	isKept := a.Previous != nil && a.Previous.Missed == record.NeverDeleted
	if !a.Claimed.Planned || isKept || a.Inherited != nil || left.Intact {
		entry.Missed = record.NeverDeleted
	}
	return entry
}

// errUnreadableCopy is the reason for quarantining an object that is gone from the source if its
// copy could not be checked. The quarantine row is then the only record that the copy belongs to
// syncd.
var errUnreadableCopy = errors.New("the source object is gone, and the role is not allowed to read the remaining copy")

// carryOver keeps the ledger entry of an object that is skipped, because the destination still has
// the last copy.
func carryOver(slot *checkpoint.Slot, a plan.Action) {
	switch {
	case a.Previous != nil:
		slot.Carry(*a.Previous)
	case a.Inherited != nil:
		slot.Record(*a.Inherited)
	default:
		slot.Drop()
	}
}
