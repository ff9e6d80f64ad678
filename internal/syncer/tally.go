package syncer

import (
	"cmp"
	"maps"
	"sync"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/copier/deleting"
	"syncd/internal/plan"
)

// tally counts the results of a pass while it runs.
type tally struct {
	mu       sync.Mutex
	s        Summary
	planned  int64 // bytes of planned copies
	expected int64
	complete bool
	now      func() time.Time
	parts    map[*partWalk]bool // parts of the plan that are being walked
	walked   int                // parts whose walk has ended
}

// partWalk is the walk of one part of the plan.
type partWalk struct {
	after string // the part begins after this key
	began time.Time
}

func newTally(mapping string, now func() time.Time) *tally {
	return &tally{now: now, parts: map[*partWalk]bool{}, s: Summary{Mapping: mapping, Skipped: map[string]int64{}, Quarantined: map[string]int64{}}}
}

// opened records the ledger's generation before the pass, and how many objects to expect.
func (t *tally) opened(generation, expected int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.s.Generation, t.expected = generation, expected
}

func (t *tally) began(pass *checkpoint.Pass) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.s.Pass, t.s.Resumed, t.s.QuarantinedBefore = pass.Number(), pass.Resumed(), pass.Counts().Quarantined
}

func (t *tally) committed(generation int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.s.Generation = generation
}

// list counts a planned action.
func (t *tally) list(a plan.Action) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !a.Listed() {
		if a.Kind == plan.Skip && a.Reason == plan.Gone && (a.Previous != nil || a.Inherited != nil) {
			t.s.Kept++
		}
		return
	}
	t.s.Listed++
	if a.Kind == plan.Copy {
		t.planned += a.Object.Size
	}
}

func (t *tally) copied(bytes int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.s.Copied++
	t.s.CopiedBytes += bytes
}

func (t *tally) adopted() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.s.Adopted++
}

func (t *tally) skipped(reason plan.Reason) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if reason == plan.Unchanged {
		t.s.Unchanged++
		return
	}
	t.s.Skipped[string(reason)]++
}

func (t *tally) quarantined(reason string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.s.Quarantined[reason]++
}

func (t *tally) held(reason string) {
	t.quarantined(reason)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.s.Held++
}

// deleted counts what became of a copy that was due to be deleted.
func (t *tally) deleted(ending deleting.Ending) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch ending {
	case deleting.Deleted:
		t.s.Deleted++
	case deleting.Absent:
	case deleting.Returned, deleting.Overwritten, deleting.Refused:
		t.keep(ending, 1)
	}
}

// undeleted counts copies that were due to be deleted and were kept.
func (t *tally) undeleted(ending deleting.Ending, copies int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keep(ending, copies)
}

// keep is undeleted. The caller holds t.mu.
func (t *tally) keep(ending deleting.Ending, copies int64) {
	if t.s.Undeleted == nil {
		t.s.Undeleted = map[string]int64{}
	}
	t.s.Undeleted[string(ending)] += copies
}

func (t *tally) withheld(due int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.s.Withheld = due
}

func (t *tally) listedAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.complete = true
}

// part records that a part of the plan is being walked until end is called.
func (t *tally) part(after string) (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	walk := &partWalk{after, t.now()}
	t.parts[walk] = true
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.parts, walk)
		t.walked++
	}
}

func (t *tally) progress() Progress {
	t.mu.Lock()
	defer t.mu.Unlock()
	aside := sum(t.s.Quarantined)
	p := Progress{
		Listed: t.s.Listed, Bytes: t.planned, Copied: t.s.Copied, CopiedBytes: t.s.CopiedBytes, SetAside: aside,
		Settled: t.s.Copied + t.s.Adopted + t.s.Unchanged + sum(t.s.Skipped) + aside, Expected: t.s.Listed, Complete: t.complete,
	}
	if !t.complete {
		p.Expected = max(p.Expected, t.expected)
	}
	p.Ranges, p.RangesWalked = len(t.parts), t.walked
	for walk := range t.parts {
		if p.OldestRange.IsZero() || cmp.Or(walk.began.Compare(p.OldestRange), cmp.Compare(walk.after, p.OldestAfter)) < 0 {
			p.OldestRange, p.OldestAfter = walk.began, walk.after
		}
	}
	return p
}

// summary returns a copy of the current counts.
func (t *tally) summary() Summary {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.s
	if n := t.walked + len(t.parts); n > 1 {
		s.Ranges = n
	}
	s.Skipped, s.Quarantined, s.Undeleted = maps.Clone(s.Skipped), maps.Clone(s.Quarantined), maps.Clone(s.Undeleted)
	return s
}
