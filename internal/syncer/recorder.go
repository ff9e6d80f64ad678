package syncer

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
	"syncd/internal/copier/request"
	"syncd/internal/plan"
	"syncd/internal/syncer/backlog"
	"syncd/internal/syncer/denial"
	"syncd/internal/syncer/repeats"
)

// recorder records the result of each object in the ledger, the summary, the metrics and the log.
type recorder struct {
	count   counters
	tally   *tally
	backlog *backlog.Backlog
	quoter  plan.Quoter
	now     func() time.Time
	log     *slog.Logger
	repeats repeats.Counter // keeps the log short
	// logger and warnedUnconditional are shared by all passes of the mapping.
	logger              *slog.Logger
	warnedUnconditional *atomic.Bool
	// usedParts reports whether an object was copied in parts.
	usedParts atomic.Bool
}

// inFlight counts a copy as in flight until end is called.
func (r *recorder) inFlight() (end func()) {
	r.count.inFlight.Inc()
	return r.count.inFlight.Dec
}

// done removes an object from the backlog.
func (r *recorder) done(key string) { r.backlog.Remove(key) }

// skipped counts an action that needs no copy.
func (r *recorder) skipped(a plan.Action) {
	switch {
	case !a.Listed():
		return
	case a.Reason == plan.Held:
		r.tally.held(a.SetAside.Reason)
		r.count.object(outcomeHeld)
		return
	}
	r.tally.skipped(a.Reason)
	outcome := outcomeSkipped
	if a.Reason == plan.Unchanged {
		outcome = outcomeUnchanged
	}
	r.count.object(outcome)
}

// gone counts an object that was listed but has been deleted since.
func (r *recorder) gone() {
	r.tally.skipped(plan.Gone)
	r.count.object(outcomeSkipped)
}

// proved records that the copy in an object's ledger entry still exists.
func (r *recorder) proved(slot *checkpoint.Slot, a plan.Action) {
	slot.Carry(*a.Previous)
	r.tally.skipped(plan.Unchanged)
	r.count.object(outcomeUnchanged)
	r.done(a.Object.Key)
}

// adopted records a copy that already existed at the destination.
func (r *recorder) adopted(slot *checkpoint.Slot, a plan.Action, result copier.Result) {
	slot.Record(adoptedEntry(a, result))
	r.tally.adopted()
	r.count.object(outcomeAdopted)
}

// copied records a copy and how long it took.
func (r *recorder) copied(slot *checkpoint.Slot, a plan.Action, result copier.Result, took time.Duration) {
	slot.Record(entryOf(a, result))
	r.note(a.Object.Key, result.Notes)
	if slices.Contains(result.Notes, copier.NoteRetentionCut) {
		r.count.shortened.Inc()
	}
	if result.Parts > 0 {
		r.usedParts.Store(true)
	}
	if result.Unconditional != "" {
		r.unconditional(result.Unconditional)
	}
	r.tally.copied(result.Object.Size)
	r.count.object(outcomeCopied)
	r.count.bytes.Add(float64(result.Object.Size))
	r.count.cost.Add(r.quoter.Beyond(result.Object)) // requests were priced when they were sent
	r.count.copyDuration.Observe(took.Seconds())
	r.log.Debug("object copied", "key", a.Object.Key, "bytes", a.Object.Size, "reason", a.Reason, "duration", took)
}

func entryOf(a plan.Action, r copier.Result) record.Entry {
	return record.Entry{
		Key: a.Object.Key, Source: r.Object.Version,
		DestinationETag: r.DestinationETag, DestinationVersionID: r.DestinationVersionID,
		KeyARN: r.KeyARN, BucketKey: r.BucketKey, Checksum: r.Checksum, CopiedAt: r.CopiedAt,
	}
}

// adoptedEntry returns the entry of an adopted object. Unless syncd wrote the object, it is never deleted.
func adoptedEntry(a plan.Action, r copier.Result) record.Entry {
	entry := entryOf(a, r)
	if !r.Ours {
		entry.Missed = record.NeverDeleted
	}
	return entry
}

// note logs metadata that could not be copied. It logs the first object with given notes at info
// level, and only counts later objects with the same notes.
func (r *recorder) note(key string, notes []string) {
	if len(notes) == 0 {
		return
	}
	isFirst := r.repeats.First(fmt.Sprint("notes ", notes), r.now(), func(log *slog.Logger, since, all int64) {
		log.Info("objects copied with notes", "notes", notes, "objects", since, "total", all)
	})
	if isFirst {
		r.log.Info("object copied with notes", "key", key, "notes", notes)
	} else {
		r.log.Debug("object copied with notes", "key", key, "notes", notes)
	}
}

// unconditional counts a copy that was written without a condition, which could have overwritten an
// object from another writer.
func (r *recorder) unconditional(why string) {
	r.count.unconditional.Inc()
	if !r.warnedUnconditional.Swap(true) {
		r.logger.Warn("copies were written without a condition, so they can overwrite other writers' changes", "why", why)
	}
}

// row returns the quarantine row for an object.
func (r *recorder) row(a plan.Action, ours copier.Ours, err error) record.Quarantined {
	now := r.now()
	return record.Quarantined{
		Key: a.Object.Key, Source: a.Object.Version,
		Reason: copier.Reason(err), Detail: err.Error(), FirstAt: now, LastAt: now, Attempts: 1,
		DestinationETag: ours.ETag, WrittenSince: ours.Since,
	}
}

// failed quarantines an object. Its ledger entry is dropped, because a request whose response was
// lost may have replaced the copy. The quarantine row records which object at the destination still
// belongs to syncd.
func (r *recorder) failed(slot *checkpoint.Slot, a plan.Action, ours copier.Ours, err error) {
	r.setAside(slot, r.row(a, ours, err))
	if bug, ok := errors.AsType[*request.PanicError](err); ok && r.repeats.FirstPanic() {
		r.log.Error("copying panicked", "key", a.Object.Key, "err", bug, "stack", string(bug.Stack))
	}
}

// release quarantines objects that were held.
func (r *recorder) release(held []denial.Held) {
	for _, h := range held {
		r.setAside(h.Slot, h.Row)
		r.done(h.Row.Key)
	}
}

// setAside adds a quarantine row. It logs the first object of each reason as a warning, and only
// counts later objects, because there can be millions.
func (r *recorder) setAside(slot *checkpoint.Slot, row record.Quarantined) {
	slot.Quarantine(row, nil)
	r.backlog.SetAside(row.LastAt)
	r.tally.quarantined(row.Reason)
	r.count.object(outcomeQuarantined)
	r.count.quarantined.WithLabelValues(row.Reason).Inc()
	isFirst := r.repeats.First("reason "+row.Reason, r.now(), func(log *slog.Logger, since, all int64) {
		log.Warn("objects quarantined", "reason", row.Reason, "objects", since, "total", all)
	})
	if isFirst {
		r.log.Warn("object quarantined", "key", row.Key, "reason", row.Reason, "err", row.Detail)
	} else {
		r.log.Debug("object quarantined", "key", row.Key, "reason", row.Reason, "err", row.Detail)
	}
}

// logDue logs the counts of repeated messages when they are due.
func (r *recorder) logDue() { r.repeats.Due(r.log, r.now()) }

// end logs the remaining counts.
func (r *recorder) end() { r.repeats.End(r.log, r.now()) }
