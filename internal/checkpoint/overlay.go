package checkpoint

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

// overlay is what an interrupted pass had settled above its mark and saved. It is laid over the base generation when the pass
// is resumed, so that an entry of it is unchanged unless its object has changed since. It has at most as many rows as
// Options.Window says.
type overlay struct {
	entries []record.Entry       // ascending
	aside   []record.Quarantined // ascending
	next    int                  // the first of entries that is not reserved
}

// LaidOver reads what an interrupted pass had settled above its mark, without the lease. The functions lay it over the rows of
// the last generation, which ascend.
func LaidOver(ctx context.Context, store store.Store, p record.Progress) (
	entries func(iter.Seq2[record.Entry, error]) iter.Seq2[record.Entry, error],
	aside func(iter.Seq2[record.Quarantined, error]) iter.Seq2[record.Quarantined, error],
	err error,
) {
	var o overlay
	if len(p.Ranges) > 0 {
		o, err = readOverlay(ctx, store, p.Ranges[0])
	}
	return o.overEntries, o.overQuarantine, err
}

func (o *overlay) overEntries(base iter.Seq2[record.Entry, error]) iter.Seq2[record.Entry, error] {
	return laidOver(base, o.entries, func(e *record.Entry) string { return e.Key })
}

func (o *overlay) overQuarantine(base iter.Seq2[record.Quarantined, error]) iter.Seq2[record.Quarantined, error] {
	return laidOver(base, o.aside, func(q *record.Quarantined) string { return q.Key })
}

// readOverlay reads what a range names ahead of its mark.
func readOverlay(ctx context.Context, store store.Store, r record.Range) (o overlay, err error) {
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
			return overlay{}, err
		}
	}
	o.entries = slices.SortedFunc(maps.Values(entries), func(a, b record.Entry) int { return cmp.Compare(a.Key, b.Key) })
	o.aside = slices.SortedFunc(maps.Values(aside), func(a, b record.Quarantined) int { return cmp.Compare(a.Key, b.Key) })
	o.entries = slices.DeleteFunc(o.entries, func(e record.Entry) bool { return e.Key <= r.Mark })
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

// above returns what of it is above a key, to be laid over rows that begin there.
func (o *overlay) above(key string) *overlay {
	entries, _ := slices.BinarySearchFunc(o.entries, key, func(e record.Entry, key string) int { return cmp.Compare(e.Key, key) })
	aside, _ := slices.BinarySearchFunc(o.aside, key, func(q record.Quarantined, key string) int { return cmp.Compare(q.Key, key) })
	rest := &overlay{entries: o.entries[entries:], aside: o.aside[aside:]}
	if len(rest.entries) > 0 && rest.entries[0].Key == key {
		rest.entries = rest.entries[1:]
	}
	if len(rest.aside) > 0 && rest.aside[0].Key == key {
		rest.aside = rest.aside[1:]
	}
	return rest
}

func (o *overlay) asideByKey() map[string]*record.Quarantined {
	byKey := make(map[string]*record.Quarantined, len(o.aside))
	for i := range o.aside {
		byKey[o.aside[i].Key] = &o.aside[i]
	}
	return byKey
}

// head returns the entry of the key that is to be reserved next, nil for none.
func (o *overlay) head(key string) *record.Entry {
	if o.next == len(o.entries) || o.entries[o.next].Key != key {
		return nil
	}
	return &o.entries[o.next]
}

// take moves past the entry that head returned.
func (o *overlay) take() { o.next++ }

// passedOver returns an error when an entry below the key was not reserved, or any for "".
func (o *overlay) passedOver(key string) error {
	if o.next == len(o.entries) || key != "" && o.entries[o.next].Key >= key {
		return nil
	}
	return fmt.Errorf("key %q, which the pass had recorded before, was passed over", o.entries[o.next].Key)
}

// laidOver yields the rows of base and of over, and of two rows of one key only the latter. Both ascend.
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

// aheadIsFull reports whether so many saves are named ahead of the mark that the next one writes all of it.
func (s *saver) aheadIsFull() bool { return len(s.ahead) >= chunk.FanIn }

// saveAhead writes what is settled above the mark, and leaves out what the mark has passed.
func (s *saver) saveAhead(ctx context.Context, r *record.Range, b batch) error {
	if b.isAll {
		s.ahead = nil
	}
	var now record.Ahead
	var err error
	now.Chunks, err = chunk.Write(ctx, &s.writer, record.ChunkPrefix, itemsAhead(b.ahead, func(slot *Slot) (chunk.EntryRow, bool) {
		if slot.entry == nil {
			return chunk.EntryRow{}, false
		}
		return chunk.RowOfEntry(slot.entry), true
	}))
	if err != nil {
		return err
	}
	now.QuarantineChunks, err = chunk.Write(ctx, &s.writer, record.QuarantinePrefix, itemsAhead(b.ahead, func(slot *Slot) (chunk.QuarantineRow, bool) {
		if slot.quarantined == nil {
			return chunk.QuarantineRow{}, false
		}
		return s.rowAhead(slot.quarantined), true
	}))
	if err != nil {
		return err
	}
	passed := func(a record.Ahead) bool { return a.LastKey() <= r.Mark }
	s.ahead = slices.DeleteFunc(append(s.ahead, now), passed)
	r.Ahead = slices.Concat(slices.DeleteFunc(slices.Clone(s.inherited), passed), s.ahead)
	return nil
}

// rowAhead is the row of an object that was set aside above the mark: without what the base generation knows of it, which is
// read in step with the mark.
func (s *saver) rowAhead(q *record.Quarantined) chunk.QuarantineRow {
	row := chunk.RowOfQuarantined(q)
	if before := s.asideBefore[q.Key]; before != nil && before.Source.Same(q.Source) {
		row.FirstAt = before.FirstAt.UnixMicro()
		row.Attempts += before.Attempts
	}
	return row
}

func itemsAhead[R chunk.Row](slots []*Slot, rowOf func(*Slot) (R, bool)) iter.Seq2[chunk.Item[R], error] {
	return func(yield func(chunk.Item[R], error) bool) {
		for _, slot := range slots {
			if row, ok := rowOf(slot); ok && !yield(chunk.Item[R]{Row: row}, nil) {
				return
			}
		}
	}
}
