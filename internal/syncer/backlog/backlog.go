// Package backlog knows what is missing at the destination of a mapping, and sets its figure: how
// many objects and bytes, and since when the oldest of them.
//
// It promises that an object is missing from the moment it is planned until it has an outcome, that
// the age of what one pass could not copy does not begin again with the next, and that the figure
// says nothing until something was listed: what is not known is not shown as 0. Its memory holds as
// many objects as the plan is ahead of the copies.
//
// It leaves to the passes what becomes of an object. It is safe for concurrent use.
//
// Two words: what waits was listed and must still be copied; what is aside is in quarantine.
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
	"syncd/internal/syncer/planner"
)

// Backlog is what is known to be missing at the destination: what was listed and must still be
// copied, and what is in quarantine. It is of a mapping, not of a pass: what one pass could not
// copy does not get younger with the next.
type Backlog struct {
	figure *figure.Mapping

	mu      sync.Mutex
	listed  bool                      // the source was listed to its end once, so that what is not here is not missing
	waiting map[string]listing.Object // by key: as many as the plan is ahead of the copies
	former  time.Time                 // of the oldest object that an earlier pass left waiting
	aside   time.Time                 // since when the object longest in quarantine is there
	reasons map[string]int64          // objects in quarantine by reason, as shown
	bytes   int64                     // of what waits
}

// New returns the backlog of a mapping of which nothing is known yet. It sets the backlog and the
// quarantine of a figure.
func New(f *figure.Mapping) *Backlog {
	return &Backlog{figure: f, waiting: map[string]listing.Object{}}
}

// Begin starts the count of a pass, which lists everything from scratch.
func (b *Backlog) Begin() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.former = b.oldest()
	b.clear()
	b.show()
}

// ListedAll notes that the source was listed to its end.
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

// Remove strikes an object off, whatever became of it.
func (b *Backlog) Remove(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o, ok := b.waiting[key]; ok {
		delete(b.waiting, key)
		b.bytes -= o.Size
		b.figure.SetBacklog(int64(len(b.waiting)), b.bytes)
	}
}

// SetAside notes an object that went into quarantine.
func (b *Backlog) SetAside(at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.aside = planner.Earlier(b.aside, at)
}

// End closes the count of a pass that reached its end: what is missing now is in quarantine.
func (b *Backlog) End() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.former = time.Time{}
	b.clear()
	b.show()
}

// clear strikes off all that waits. The caller holds b.mu.
func (b *Backlog) clear() {
	clear(b.waiting)
	b.bytes = 0
}

// show sets the figure. Before anything was listed what is missing is not known. The caller holds
// b.mu.
func (b *Backlog) show() {
	if !b.listed && len(b.waiting) == 0 {
		b.figure.ClearBacklog()
		return
	}
	b.figure.SetBacklog(int64(len(b.waiting)), b.bytes)
}

// oldest returns the time of the oldest change that waits, zero for none. The caller holds b.mu.
func (b *Backlog) oldest() time.Time {
	oldest := b.former
	for _, o := range b.waiting {
		oldest = planner.Earlier(oldest, o.LastModified)
	}
	return planner.Earlier(oldest, b.aside)
}

// Age returns how many seconds ago the oldest change was made that is not copied; ok is false
// before anything was listed.
func (b *Backlog) Age(now time.Time) (seconds float64, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	oldest := b.oldest()
	if oldest.IsZero() {
		return 0, b.listed
	}
	return max(0, now.Sub(oldest).Seconds()), true
}

// ReadQuarantine counts what the last generation has set aside.
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

// Uncounted shows how many objects are in quarantine where their reasons cannot be read, so that it
// does not look empty.
func (b *Backlog) Uncounted(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.reasons) == 0 && n > 0 {
		b.reasons = map[string]int64{string(awserr.Unknown): n}
		b.figure.SetQuarantine(b.reasons)
	}
}
