// Package watermark orders the keys that a pass settles, in any order, into changes in key order.
//
// The mark is the last key at or below which every key is settled. The package guarantees that each
// batch returned for a save contains everything settled at or below the mark since the last batch,
// in order and exactly once. On request it also returns keys settled above the mark. A batch that
// could not be saved can be put back.
//
// The caller must hold the lock of its pass. The caller, not this package, limits how many keys are
// ahead of the mark.
//
// Terms: a Key is reserved first and settled later. A Batch contains the changes that one save
// writes.
package watermark

import (
	"slices"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/record"
)

// Key is a reserved key and how it was settled.
type Key struct {
	Name        string
	InBase      bool                // whether the base generation has an entry for the key
	How         Settlement          // Unsettled until the key is settled
	Entry       *record.Entry       // the key's new entry, nil for none
	Quarantined *record.Quarantined // the key's quarantine row, nil if not quarantined
	Held        bool                // whether Quarantined is the row of the base generation

	isSaved bool // whether the key was saved while it was above the mark
}

// hasRows reports whether a settled key above the mark must be written. Keys that were carried,
// dropped or held need not be written, because the process that resumes the pass settles them again
// at no cost.
func (k *Key) hasRows() bool {
	return k.How == Recorded || (k.How == AsideWithEntry || k.How == AsideWithout) && !k.Held
}

// Settlement is how a key was settled.
type Settlement uint8

// How a key was settled.
const (
	Unsettled      Settlement = iota
	Carried                   // the base's entry stays
	Recorded                  // a new entry
	AsideWithEntry            // quarantined, the base's entry stays
	AsideWithout              // quarantined, no entry
	Dropped                   // no entry
)

// Watermark takes keys that are settled in any order, and produces changes in key order. It
// contains the keys ahead of the mark and the changes that have not been taken.
type Watermark struct {
	ring     []*Key // keys ahead of the mark; the oldest is at index first; the length is a power of two
	first, n int
	ahead    int // keys ahead of the mark that have rows and are not saved
	batch    Batch
}

// Batch contains the changes settled at or below the mark since the last batch was taken.
type Batch struct {
	Mark    string        // every key at or below Mark is settled
	Counts  record.Counts // counts of the whole pass up to Mark
	Changes []chunk.Change
	Aside   []Aside
	Ahead   []*Key // settled above the mark, as returned by TakeAhead
	IsAll   bool   // whether Ahead has all keys settled above the mark
}

// Aside is a quarantine row to be written.
type Aside struct {
	record.Quarantined
	Held bool // whether the base's row is kept unchanged
}

// waiting returns how many changes in the batch use memory until they are saved.
func (b *Batch) waiting() int { return len(b.Changes) + len(b.Aside) }

// Waiting returns how many unsaved changes use memory that a save would free.
func (w *Watermark) Waiting() int { return w.batch.waiting() }

// Begin sets the mark and the counts to those of an interrupted pass.
func (w *Watermark) Begin(mark string, counts record.Counts) {
	w.batch.Mark, w.batch.Counts = mark, counts
}

// Mark returns the last key at or below which every key is settled, "" at the start.
func (w *Watermark) Mark() string { return w.batch.Mark }

// Counts returns how many keys up to the mark the pass settled in each way, before and after a
// resume.
func (w *Watermark) Counts() record.Counts { return w.batch.Counts }

// Len returns how many keys are ahead of the mark.
func (w *Watermark) Len() int { return w.n }

// Unsaved returns how many keys ahead of the mark have rows that are not saved.
func (w *Watermark) Unsaved() int { return w.ahead }

// First returns the first key ahead of the mark, which is unsettled. Len must be above 0.
func (w *Watermark) First() string { return w.ring[w.first].Name }

// Push adds a key, which must be above all keys pushed before.
func (w *Watermark) Push(k *Key) {
	if w.n == len(w.ring) {
		w.grow()
	}
	w.ring[(w.first+w.n)&(len(w.ring)-1)] = k
	w.n++
}

func (w *Watermark) grow() {
	ring := make([]*Key, max(64, 2*len(w.ring)))
	copied := copy(ring, w.ring[w.first:])
	copy(ring[copied:], w.ring[:w.first])
	w.ring, w.first = ring, 0
}

// Advance records that a key was settled, and moves the mark up to the next unsettled key.
func (w *Watermark) Advance(k *Key) {
	if k.hasRows() {
		w.ahead++
	}
	for w.n > 0 && w.ring[w.first].How != Unsettled {
		if k := w.ring[w.first]; k.hasRows() && !k.isSaved {
			w.ahead--
		}
		w.batch.add(w.ring[w.first])
		w.ring[w.first] = nil
		w.first = (w.first + 1) & (len(w.ring) - 1)
		w.n--
	}
}

// Take returns what was settled at or below the mark since the last Take.
func (w *Watermark) Take() Batch {
	taken := w.batch
	w.batch.Changes, w.batch.Aside = nil, nil
	return taken
}

// TakeAhead returns the keys settled ahead of the mark that have rows, in key order. If all is
// false, it returns only the unsaved keys.
func (w *Watermark) TakeAhead(all bool) []*Key {
	if w.ahead == 0 && !all {
		return nil
	}
	taken := w.rowsAhead(all)
	for _, k := range taken {
		k.isSaved = true
	}
	w.ahead = 0
	return taken
}

func (w *Watermark) rowsAhead(all bool) (ahead []*Key) {
	for i := range w.n {
		if k := w.ring[(w.first+i)&(len(w.ring)-1)]; k.hasRows() && (all || !k.isSaved) {
			ahead = append(ahead, k)
		}
	}
	return ahead
}

// PutBack puts back a batch that could not be saved. The keys in b.Ahead may be below the mark by
// now.
func (w *Watermark) PutBack(b Batch) {
	w.batch.Changes = slices.Concat(b.Changes, w.batch.Changes)
	w.batch.Aside = slices.Concat(b.Aside, w.batch.Aside)
	for _, k := range b.Ahead {
		k.isSaved = false
	}
	w.ahead = len(w.rowsAhead(false))
}

func (b *Batch) add(k *Key) {
	b.Mark = k.Name
	switch k.How {
	case Carried:
		b.Counts.Carried++
	case Recorded:
		b.Counts.Recorded++
		b.Changes = append(b.Changes, chunk.Change{Key: k.Name, Entry: k.Entry, Replaces: k.InBase})
	case AsideWithEntry:
		b.Counts.AsideWithEntry++
		b.aside(k)
		if k.Entry != nil {
			b.Changes = append(b.Changes, chunk.Change{Key: k.Name, Entry: k.Entry, Replaces: k.InBase})
		}
	case AsideWithout:
		b.aside(k)
		b.remove(k)
	case Dropped:
		b.Counts.Dropped++
		b.remove(k)
	case Unsettled:
		panic("BUG: mark moved over an unsettled key")
	}
}

func (b *Batch) aside(k *Key) {
	b.Counts.Quarantined++
	if k.Held {
		b.Counts.Held++
	}
	b.Aside = append(b.Aside, Aside{*k.Quarantined, k.Held})
}

// remove adds the removal of the base's entry for k to b.Changes. If the base has no entry for k,
// it adds no change, so that a key that a filter skips costs no write.
func (b *Batch) remove(k *Key) {
	if k.InBase {
		b.Changes = append(b.Changes, chunk.Change{Key: k.Name, Replaces: true})
	}
}
