// Package overlay holds what an interrupted pass had settled and saved above its low-water mark,
// and lays it over the rows of the last generation, so that the pass which resumes it does none of
// that again.
//
// The package promises that of two rows of one key the one of the overlay is returned, and that
// every entry of it is reserved in its turn or missed by name. It holds as many rows as a pass has
// slots ahead of its mark, at most.
//
// It leaves the reading of rows to package chunk.
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

// Overlay is what an interrupted pass had settled above its mark and saved. It is laid over the
// base generation when the pass is resumed, so that an entry of it is unchanged unless its object
// has changed since. It has at most as many rows as checkpoint.Options.Window says.
type Overlay struct {
	rows  []record.Entry       // ascending
	aside []record.Quarantined // ascending
	next  int                  // the first of entries that is not reserved
}

// Of reads what an interrupted pass had settled above its mark, without the lease. The functions
// lay it over the rows of the last generation, which ascend.
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

// Entries lays the overlay over entries of the base, which ascend.
func (o *Overlay) Entries(base iter.Seq2[record.Entry, error]) iter.Seq2[record.Entry, error] {
	return laidOver(base, o.rows, func(e *record.Entry) string { return e.Key })
}

// Quarantine lays the overlay over what the base has in quarantine, which ascends.
func (o *Overlay) Quarantine(base iter.Seq2[record.Quarantined, error]) iter.Seq2[record.Quarantined, error] {
	return laidOver(base, o.aside, func(q *record.Quarantined) string { return q.Key })
}

// Read reads what a range names ahead of its mark.
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

// Above returns what of it is above a key, to be laid over rows that begin there.
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

// AsideByKey returns what the overlay has in quarantine.
func (o *Overlay) AsideByKey() map[string]*record.Quarantined {
	byKey := make(map[string]*record.Quarantined, len(o.aside))
	for i := range o.aside {
		byKey[o.aside[i].Key] = &o.aside[i]
	}
	return byKey
}

// Head returns the entry of the key that is to be reserved next, nil for none.
func (o *Overlay) Head(key string) *record.Entry {
	if o.next == len(o.rows) || o.rows[o.next].Key != key {
		return nil
	}
	return &o.rows[o.next]
}

// Take moves past the entry that Head returned.
func (o *Overlay) Take() { o.next++ }

// PassedOver returns an error when an entry below the key was not reserved, or any for "".
func (o *Overlay) PassedOver(key string) error {
	if o.next == len(o.rows) || key != "" && o.rows[o.next].Key >= key {
		return nil
	}
	return fmt.Errorf("key %q, which the pass had recorded before, was passed over", o.rows[o.next].Key)
}

// laidOver yields the rows of base and of over, and of two rows of one key only the latter. Both
// ascend.
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
