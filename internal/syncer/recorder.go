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
)

// recorder hands what became of each object to the ledger, the summary, the metrics and the log.
type recorder struct {
	count   counters
	tally   *tally
	backlog *backlog.Backlog
	quoter  plan.Quoter
	now     func() time.Time
	log     *slog.Logger
	repeats repeats // keeps the log short
	// logger is the mapping's, and so is warnedUnconditional.
	logger              *slog.Logger
	warnedUnconditional *atomic.Bool
	// usedParts says that an object was copied in parts.
	usedParts atomic.Bool
}

// inFlight counts a copy in flight until the returned func is called.
func (r *recorder) inFlight() (end func()) {
	r.count.inFlight.Inc()
	return r.count.inFlight.Dec
}

// done strikes an object off the backlog.
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

// gone counts an object that was listed and was not there any more.
func (r *recorder) gone() {
	r.tally.skipped(plan.Gone)
	r.count.object(outcomeSkipped)
}

// proved records an object whose recorded copy is still there.
func (r *recorder) proved(slot *checkpoint.Slot, a plan.Action) {
	slot.Carry(*a.Previous)
	r.tally.skipped(plan.Unchanged)
	r.count.object(outcomeUnchanged)
	r.done(a.Object.Key)
}

// adopted records what the destination held already.
func (r *recorder) adopted(slot *checkpoint.Slot, a plan.Action, result copier.Result) {
	slot.Record(entryOf(a, result))
	r.tally.adopted()
	r.count.object(outcomeAdopted)
}

// copied records a copy, which took that long.
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
	r.count.cost.Add(r.quoter.Beyond(result.Object)) // its requests were counted when they were sent
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

// note logs what could not be carried over. The first object of each kind is logged, and how many
// follow.
func (r *recorder) note(key string, notes []string) {
	if len(notes) == 0 {
		return
	}
	isFirst := r.repeats.first(fmt.Sprint("notes ", notes), r.now(), func(log *slog.Logger, since, all int64) {
		log.Info("objects copied with notes", "notes", notes, "objects", since, "total", all)
	})
	if isFirst {
		r.log.Info("object copied with notes", "key", key, "notes", notes)
	} else {
		r.log.Debug("object copied with notes", "key", key, "notes", notes)
	}
}

// unconditional notes a copy that was written without the condition that protects what others put
// there.
func (r *recorder) unconditional(why string) {
	r.count.unconditional.Inc()
	if !r.warnedUnconditional.Swap(true) {
		r.logger.Warn("copies replace what others write to the destination meanwhile", "why", why)
	}
}

// row is the row of an object that is set aside.
func (r *recorder) row(a plan.Action, ours copier.Ours, err error) record.Quarantined {
	now := r.now()
	return record.Quarantined{
		Key: a.Object.Key, Source: a.Object.Version,
		Reason: copier.Reason(err), Detail: err.Error(), FirstAt: now, LastAt: now, Attempts: 1,
		DestinationETag: ours.ETag, WrittenSince: ours.Since,
	}
}

// failed sets an object aside. The ledger has no entry of it any more: a request whose answer was
// lost may have replaced the copy that the entry was of. What is syncd's own there all the same,
// the row says.
func (r *recorder) failed(slot *checkpoint.Slot, a plan.Action, ours copier.Ours, err error) {
	r.setAside(slot, r.row(a, ours, err))
	if bug, ok := errors.AsType[*request.PanicError](err); ok && r.repeats.firstPanic() {
		r.log.Error("copying panicked", "key", a.Object.Key, "err", bug, "stack", string(bug.Stack))
	}
}

// release sets objects aside that were held.
func (r *recorder) release(held []denial.Held) {
	for _, h := range held {
		r.setAside(h.Slot, h.Row)
		r.done(h.Row.Key)
	}
}

// setAside enters a row of quarantine. The first of each reason is logged, and how many follow:
// there may be millions.
func (r *recorder) setAside(slot *checkpoint.Slot, row record.Quarantined) {
	slot.Quarantine(row, nil)
	r.backlog.SetAside(row.LastAt)
	r.tally.quarantined(row.Reason)
	r.count.object(outcomeQuarantined)
	r.count.quarantined.WithLabelValues(row.Reason).Inc()
	isFirst := r.repeats.first("reason "+row.Reason, r.now(), func(log *slog.Logger, since, all int64) {
		log.Warn("objects quarantined", "reason", row.Reason, "objects", since, "total", all)
	})
	if isFirst {
		r.log.Warn("object quarantined", "key", row.Key, "reason", row.Reason, "err", row.Detail)
	} else {
		r.log.Debug("object quarantined", "key", row.Key, "reason", row.Reason, "err", row.Detail)
	}
}

// logDue logs how many objects met the same, when it is time.
func (r *recorder) logDue() { r.repeats.due(r.log, r.now()) }

// end logs what was not logged by then.
func (r *recorder) end() { r.repeats.end(r.log, r.now()) }
