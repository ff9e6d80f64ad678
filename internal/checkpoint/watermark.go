package checkpoint

import (
	"slices"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/record"
)

// Slot is one reserved key, to be settled exactly once by Carry, Record,
// Quarantine, Hold or Drop, from any goroutine; that also forgets the upload that
// it has begun. Settling a slot of a pass that has ended or failed does nothing.
// Settling it twice, or with another key, is a bug that fails the pass: the ledger
// would not be true any more.
type Slot struct {
	pass        *Pass
	key         string
	before      *record.Entry // what this pass had recorded before it was interrupted, above the mark; nil: nothing
	entry       *record.Entry
	quarantined *record.Quarantined
	held        bool   // whether quarantined is the base generation's
	upload      string // id of the upload that it has begun, or else was offered
	how         settlement
	inBase      bool // whether the base generation has an entry of this key
	isSaved     bool // although it is above the mark
}

// hasRows reports whether a settled slot must be written although it is above the mark: what is carried, dropped or held is
// decided again by whoever resumes the pass, at no cost.
func (s *Slot) hasRows() bool {
	return s.how == recorded || (s.how == kept || s.how == without) && !s.held
}

// settlement is how a slot was settled.
type settlement uint8

const (
	unsettled settlement = iota
	carried              // the base's entry stays
	recorded             // a new entry
	kept                 // quarantined, the base's entry stays
	without              // quarantined, no entry
	dropped              // no entry
)

// Carry leaves the previous generation's entry as it is: the object is
// unchanged, or gone from the source and kept at the destination.
func (s *Slot) Carry(e record.Entry) { s.pass.settle(s, carried, e.Key, nil, nil) }

// Record puts e into the ledger in place of what was there. The caller vouches
// that the destination answered success and named the key. Entry.Pass is set.
func (s *Slot) Record(e record.Entry) {
	e.Pass = s.pass.number
	s.pass.settle(s, recorded, e.Key, &e, nil)
}

// Quarantine sets the object aside. The previous entry, when there was one,
// stays, because the destination still holds that version; nil says there was
// none. Attempts counts those of this pass and is at least 1; the ledger adds
// those of the previous generation when it set aside the same source version,
// and takes FirstAt over from it. Quarantined.Pass is set.
func (s *Slot) Quarantine(q record.Quarantined, previous *record.Entry) {
	q.Pass = s.pass.number
	q.Attempts = max(q.Attempts, 1)
	if q.FirstAt.IsZero() {
		q.FirstAt = q.LastAt
	}
	s.pass.settle(s, asideWith(previous), q.Key, nil, &q)
}

// Hold leaves what the previous generation set aside under the key as it is, but
// for WrittenSince, for a later pass to try again: the object was not tried. The previous entry
// stays as with Quarantine. To hold what was not set aside, or another source
// version, is a bug that the next save fails with.
func (s *Slot) Hold(q record.Quarantined, previous *record.Entry) {
	s.held = true
	s.pass.settle(s, asideWith(previous), q.Key, nil, &q)
}

// asideWith is how a slot is settled that sets its object aside.
func asideWith(previous *record.Entry) settlement {
	if previous == nil {
		return without
	}
	return kept
}

// Drop leaves the key without an entry: a filter skipped it and it was never
// copied, or it was deleted at the destination.
func (s *Slot) Drop() { s.pass.settle(s, dropped, s.key, nil, nil) }

// watermark turns slots that are settled in any order into changes in key order.
// It holds the slots ahead of the mark and the changes that are not yet taken.
type watermark struct {
	ring     []*Slot // power of two long; the slots ahead of the mark, oldest at first
	first, n int
	ahead    int // slots ahead of the mark that have rows and are not saved
	batch    batch
}

// batch is what was settled at or below the mark since the last batch was taken.
type batch struct {
	mark     string        // every key at or below it is settled
	counts   record.Counts // of the whole pass up to mark
	changes  []chunk.Change
	setAside []setAside
	ahead    []*Slot // settled above the mark, as takeAhead returns it
	isAll    bool    // whether ahead is all of it
}

// setAside is a row of quarantine in the making.
type setAside struct {
	record.Quarantined
	held bool // whether the base's row stands as it is
}

// waiting returns how many keys wait to be saved, as far as they take memory.
func (b *batch) waiting() int { return len(b.changes) + len(b.setAside) }

// waiting returns how many keys wait to be saved, as far as they take memory that a save would free.
func (w *watermark) waiting() int { return w.batch.waiting() }

// push adds a slot ahead of all others.
func (w *watermark) push(s *Slot) {
	if w.n == len(w.ring) {
		w.grow()
	}
	w.ring[(w.first+w.n)&(len(w.ring)-1)] = s
	w.n++
}

func (w *watermark) grow() {
	ring := make([]*Slot, max(64, 2*len(w.ring)))
	copied := copy(ring, w.ring[w.first:])
	copy(ring[copied:], w.ring[:w.first])
	w.ring, w.first = ring, 0
}

// settled takes note of a slot that was settled, and moves the mark over every settled slot that no unsettled one precedes.
func (w *watermark) settled(s *Slot) {
	if s.hasRows() {
		w.ahead++
	}
	for w.n > 0 && w.ring[w.first].how != unsettled {
		if s := w.ring[w.first]; s.hasRows() && !s.isSaved {
			w.ahead--
		}
		w.batch.add(w.ring[w.first])
		w.ring[w.first] = nil
		w.first = (w.first + 1) & (len(w.ring) - 1)
		w.n--
	}
}

// take returns what was settled since the last take at or below the mark, and forgets it.
func (w *watermark) take() batch {
	taken := w.batch
	w.batch.changes, w.batch.setAside = nil, nil
	return taken
}

// takeAhead returns what is settled ahead of the mark, with rows, in key order: what was not saved, or all of it.
func (w *watermark) takeAhead(all bool) []*Slot {
	if w.ahead == 0 && !all {
		return nil
	}
	taken := w.rowsAhead(all)
	for _, s := range taken {
		s.isSaved = true
	}
	w.ahead = 0
	return taken
}

func (w *watermark) rowsAhead(all bool) (ahead []*Slot) {
	for i := range w.n {
		if s := w.ring[(w.first+i)&(len(w.ring)-1)]; s.hasRows() && (all || !s.isSaved) {
			ahead = append(ahead, s)
		}
	}
	return ahead
}

// putBack makes a batch wait again that could not be saved. What of it was ahead of the mark may be below it by now.
func (w *watermark) putBack(b batch) {
	w.batch.changes = slices.Concat(b.changes, w.batch.changes)
	w.batch.setAside = slices.Concat(b.setAside, w.batch.setAside)
	for _, s := range b.ahead {
		s.isSaved = false
	}
	w.ahead = len(w.rowsAhead(false))
}

func (b *batch) add(s *Slot) {
	b.mark = s.key
	switch s.how {
	case carried:
		b.counts.Carried++
	case recorded:
		b.counts.Recorded++
		b.changes = append(b.changes, chunk.Change{Key: s.key, Entry: s.entry, Replaces: s.inBase})
	case kept:
		b.counts.Kept++
		b.aside(s)
		if s.entry != nil {
			b.changes = append(b.changes, chunk.Change{Key: s.key, Entry: s.entry, Replaces: s.inBase})
		}
	case without:
		b.aside(s)
		b.remove(s)
	case dropped:
		b.counts.Dropped++
		b.remove(s)
	case unsettled:
		panic("BUG: mark moved over an unsettled key")
	}
}

func (b *batch) aside(s *Slot) {
	b.counts.Quarantined++
	if s.held {
		b.counts.Held++
	}
	b.setAside = append(b.setAside, setAside{*s.quarantined, s.held})
}

// remove takes the base's entry away. A key the base did not have changes
// nothing, so that a filtered key costs no write.
func (b *batch) remove(s *Slot) {
	if s.inBase {
		b.changes = append(b.changes, chunk.Change{Key: s.key, Replaces: true})
	}
}
