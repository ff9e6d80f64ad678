// Package backlog tracks which objects are missing at the destination of a mapping. It sets the
// mapping's figure: how many objects and bytes are missing, and since when.
//
// An object counts as missing from the time it is planned until it has an outcome. An object that
// one pass could not copy keeps its age in the next pass. The figure stays unset, instead of 0,
// until an object was listed. The memory use of a Backlog is proportional to the number of planned
// actions that have no outcome yet.
//
// The passes decide the outcome of each object. A Backlog is safe for concurrent use.
//
// Two terms: an object is waiting if it was listed and must still be copied; it is set aside if it
// is in quarantine.
package backlog

import (
	"iter"
	"sync"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/figure"
	"syncd/internal/listing"
)

// Backlog tracks the objects that are missing at the destination: those that were listed and must
// still be copied, and those in quarantine. It belongs to a mapping, not to a pass, so that an
// object keeps its age across passes.
type Backlog struct {
	figure *figure.Mapping

	mu      sync.Mutex
	listed  bool                      // the source was fully listed once: only waiting and quarantined objects are missing
	waiting map[string]listing.Object // by key; as many as the planned actions without an outcome
	former  time.Time                 // time of the oldest object that an earlier pass left waiting
	aside   time.Time                 // when the oldest object in quarantine was set aside
	reasons map[string]int64          // objects in quarantine by reason, as the figure shows them
	bytes   int64                     // total size of the waiting objects
}

// New returns an empty backlog of a mapping. It sets the backlog and the quarantine in f.
func New(f *figure.Mapping) *Backlog {
	return &Backlog{figure: f, waiting: map[string]listing.Object{}}
}

// Begin resets the counts at the start of a pass, because the pass lists the whole source again.
func (b *Backlog) Begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.former = b.oldest()
	b.clear()
	b.show()
}

// ListedAll records that the whole source was listed.
func (b *Backlog) ListedAll() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.listed {
		b.listed = true
		b.show()
	}
}

// Plan adds an object that must be copied.
func (b *Backlog) Plan(o listing.Object) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bytes += o.Size - b.waiting[o.Key].Size
	b.waiting[o.Key] = o
	b.show()
}

// Remove removes an object that has an outcome.
func (b *Backlog) Remove(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o, ok := b.waiting[key]; ok {
		delete(b.waiting, key)
		b.bytes -= o.Size
		b.figure.SetBacklog(int64(len(b.waiting)), b.bytes)
	}
}

// SetAside records that an object was quarantined at the time at.
func (b *Backlog) SetAside(at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.aside = record.Earlier(b.aside, at)
}

// End removes all waiting objects at the end of a completed pass. After that, the only missing
// objects are those in quarantine.
func (b *Backlog) End() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.former = time.Time{}
	b.clear()
	b.show()
}

// clear removes all waiting objects. The caller holds b.mu.
func (b *Backlog) clear() {
	clear(b.waiting)
	b.bytes = 0
}

// show sets the figure. The backlog is unknown until something was listed. The caller holds b.mu.
func (b *Backlog) show() {
	if !b.listed && len(b.waiting) == 0 {
		b.figure.ClearBacklog()
		return
	}
	b.figure.SetBacklog(int64(len(b.waiting)), b.bytes)
}

// oldest returns the time of the oldest change that was not copied, or the zero time if all were
// copied. The caller holds b.mu.
func (b *Backlog) oldest() time.Time {
	oldest := b.former
	for _, o := range b.waiting {
		oldest = record.Earlier(oldest, o.LastModified)
	}
	return record.Earlier(oldest, b.aside)
}

// Age returns the age in seconds of the oldest change that was not copied; ok is false if nothing
// was listed yet.
func (b *Backlog) Age(now time.Time) (seconds float64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	oldest := b.oldest()
	if oldest.IsZero() {
		return 0, b.listed
	}
	return max(0, now.Sub(oldest).Seconds()), true
}

// ReadQuarantine counts the quarantined objects of the last generation.
func (b *Backlog) ReadQuarantine(rows iter.Seq2[record.Quarantined, error]) error {
	byReason, oldest, err := checkpoint.CountQuarantine(rows)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.figure.SetQuarantine(byReason)
	b.reasons, b.aside = byReason, oldest
	return nil
}

// Uncounted shows the number of quarantined objects when their reasons cannot be read, so that the
// quarantine does not appear empty.
func (b *Backlog) Uncounted(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.reasons) == 0 && n > 0 {
		b.reasons = map[string]int64{string(awserr.Unknown): n}
		b.figure.SetQuarantine(b.reasons)
	}
}
