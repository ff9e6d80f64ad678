// Package overlay provides the rows that an interrupted pass settled and saved above its low-water
// mark. It overlays these rows on the rows of the last generation, so that the resumed pass does
// not repeat the work.
//
// The package guarantees that if both the overlay and the generation have a row for a key, the
// overlay's row is returned. It also guarantees that every entry in the overlay is either reserved
// in order or reported in an error that names its key. An overlay has at most as many rows as a
// pass has slots ahead of its mark.
//
// Package chunk reads the rows.
package overlay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// Overlay contains the rows that an interrupted pass settled and saved above its mark. When the
// pass is resumed, the overlay is laid over the base generation, so that its entries count as
// unchanged unless their objects have changed in the meantime. An overlay has at most
// checkpoint.Options.Window rows.
type Overlay struct {
	rows  []record.Entry       // ascending
	aside []record.Quarantined // ascending
	next  int                  // index of the first row that is not reserved
}

// Of reads the rows that an interrupted pass settled above its mark. It does not need the lease.
// The two functions that it returns overlay these rows on rows of the last generation. Rows passed
// to the functions must be in ascending key order.
func Of(ctx context.Context, store store.Store, p record.Progress) (
	entries func(iter.Seq2[record.Entry, error]) iter.Seq2[record.Entry, error],
	aside func(iter.Seq2[record.Quarantined, error]) iter.Seq2[record.Quarantined, error],
	err error,
) {
	var o Overlay
	if len(p.Ranges) > 0 {
		o, err = Read(ctx, store, p.Ranges[0])
	}
	return o.Entries, o.Quarantine, err
}

// Entries overlays the entries of o on the entries of base, which must be in ascending key order.
func (o *Overlay) Entries(base iter.Seq2[record.Entry, error]) iter.Seq2[record.Entry, error] {
	return laidOver(base, o.rows, func(e *record.Entry) string { return e.Key })
}

// Quarantine overlays the quarantined objects of o on the quarantined objects of base, which must
// be in ascending key order.
func (o *Overlay) Quarantine(base iter.Seq2[record.Quarantined, error]) iter.Seq2[record.Quarantined, error] {
	return laidOver(base, o.aside, func(q *record.Quarantined) string { return q.Key })
}

// Read reads the rows that were saved above the mark of r.
func Read(ctx context.Context, store store.Store, r record.Range) (o Overlay, err error) {
	entries, aside := map[string]record.Entry{}, map[string]record.Quarantined{}
	for _, save := range r.Ahead {
		saved := map[string]bool{}
		first := func(key string) {
			if !saved[key] {
				saved[key] = true
				delete(entries, key)
				delete(aside, key)
			}
		}
		err := errors.Join(
			eachRow(ctx, store, save.Chunks, func(row chunk.EntryRow) { first(row.Key); entries[row.Key] = row.Entry() }),
			eachRow(ctx, store, save.QuarantineChunks, func(row chunk.QuarantineRow) { first(row.Key); aside[row.Key] = row.Quarantined() }),
		)
		if err != nil {
			return Overlay{}, err
		}
	}
	o.rows = slices.SortedFunc(maps.Values(entries), func(a, b record.Entry) int { return cmp.Compare(a.Key, b.Key) })
	o.aside = slices.SortedFunc(maps.Values(aside), func(a, b record.Quarantined) int { return cmp.Compare(a.Key, b.Key) })
	o.rows = slices.DeleteFunc(o.rows, func(e record.Entry) bool { return e.Key <= r.Mark })
	o.aside = slices.DeleteFunc(o.aside, func(q record.Quarantined) bool { return q.Key <= r.Mark })
	return o, nil
}

func eachRow[R chunk.Row](ctx context.Context, store store.Store, chunks []record.Chunk, do func(R)) error {
	for r, err := range chunk.Read[R](ctx, store, chunks, "") {
		if err != nil {
			return err
		}
		do(r)
	}
	return nil
}

// Above returns the part of the overlay above a key, to be laid over base rows that begin above
// that key.
func (o *Overlay) Above(key string) *Overlay {
	entries, _ := slices.BinarySearchFunc(o.rows, key, func(e record.Entry, key string) int { return cmp.Compare(e.Key, key) })
	aside, _ := slices.BinarySearchFunc(o.aside, key, func(q record.Quarantined, key string) int { return cmp.Compare(q.Key, key) })
	rest := &Overlay{rows: o.rows[entries:], aside: o.aside[aside:]}
	if len(rest.rows) > 0 && rest.rows[0].Key == key {
		rest.rows = rest.rows[1:]
	}
	if len(rest.aside) > 0 && rest.aside[0].Key == key {
		rest.aside = rest.aside[1:]
	}
	return rest
}

// AsideByKey returns the quarantined objects of the overlay by key.
func (o *Overlay) AsideByKey() map[string]*record.Quarantined {
	byKey := make(map[string]*record.Quarantined, len(o.aside))
	for i := range o.aside {
		byKey[o.aside[i].Key] = &o.aside[i]
	}
	return byKey
}

// Head returns the entry for key, which must be the next key to reserve, or nil if there is none.
func (o *Overlay) Head(key string) *record.Entry {
	if o.next == len(o.rows) || o.rows[o.next].Key != key {
		return nil
	}
	return &o.rows[o.next]
}

// Take moves past the entry that Head returned.
func (o *Overlay) Take() { o.next++ }

// PassedOver returns an error if an entry below key was not reserved. If key is "", PassedOver
// checks all entries.
func (o *Overlay) PassedOver(key string) error {
	if o.next == len(o.rows) || key != "" && o.rows[o.next].Key >= key {
		return nil
	}
	return fmt.Errorf("key %q, which the pass had recorded before it was interrupted, was not reserved", o.rows[o.next].Key)
}

// laidOver yields the rows of base and over, both ascending. If both have a row for a key, it
// yields the row of over.
func laidOver[T any](base iter.Seq2[T, error], over []T, keyOf func(*T) string) iter.Seq2[T, error] {
	if len(over) == 0 {
		return base
	}
	return func(yield func(T, error) bool) {
		left := over
		each := func(rows []T) bool {
			left = left[len(rows):]
			return !slices.ContainsFunc(rows, func(row T) bool { return !yield(row, nil) })
		}
		for row, err := range base {
			if err != nil {
				yield(row, err)
				return
			}
			n, isOver := slices.BinarySearchFunc(left, keyOf(&row), func(o T, key string) int { return cmp.Compare(keyOf(&o), key) })
			if isOver {
				n++
			}
			if !each(left[:n]) || !isOver && !yield(row, nil) {
				return
			}
		}
		each(left)
	}
}
