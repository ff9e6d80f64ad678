// Package watermark orders the keys of one range that a pass settles in any order.
//
// The mark is the last key at or below which every reserved key is settled. The package guarantees
// that each key is counted once, when the mark passes it.
//
// The caller must hold the lock of its pass, and limits how many keys are ahead of the mark. What
// is written for a key is up to package checkpoint.
package watermark

import "syncd/internal/checkpoint/record"

// Key is a reserved key and how it was settled.
type Key struct {
	Name string
	How  Settlement // Unsettled until the key is settled
	Held bool       // whether the key stays in quarantine without an attempt
	Gone bool       // whether the source did not list the key
}

// Settlement is how a key was settled.
type Settlement uint8

// How a key was settled.
const (
	Unsettled      Settlement = iota
	Carried                   // the former entry stays
	Recorded                  // a new entry
	AsideWithEntry            // quarantined, the former entry stays
	AsideWithout              // quarantined, no entry
	Dropped                   // no entry
)

// Watermark contains the keys ahead of the mark. The zero Watermark is empty and its mark is "".
type Watermark struct {
	ring     []*Key // keys ahead of the mark; the oldest is at index first; the length is a power of two
	first, n int
	mark     string
}

// New returns an empty Watermark whose mark is the given key.
func New(mark string) Watermark { return Watermark{mark: mark} }

// Mark returns the last key at or below which every key is settled.
func (w *Watermark) Mark() string { return w.mark }

// Len returns how many keys are ahead of the mark.
func (w *Watermark) Len() int { return w.n }

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

// Advance moves the mark up to the next unsettled key, and counts the keys that it passes.
func (w *Watermark) Advance(counts *record.Counts) {
	for w.n > 0 && w.ring[w.first].How != Unsettled {
		k := w.ring[w.first]
		w.mark = k.Name
		count(counts, k)
		w.ring[w.first] = nil
		w.first = (w.first + 1) & (len(w.ring) - 1)
		w.n--
	}
}

func count(c *record.Counts, k *Key) {
	switch k.How {
	case Carried:
		c.Carried++
	case Recorded:
		c.Recorded++
	case AsideWithEntry:
		c.Quarantined++
		c.AsideWithEntry++
	case AsideWithout:
		c.Quarantined++
	case Dropped:
		c.Dropped++
	case Unsettled:
		panic("BUG: mark moved over an unsettled key")
	}
	if k.Held {
		c.Held++
	}
	if k.Gone {
		c.Gone++
	}
}
