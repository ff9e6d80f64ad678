package chunk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"syncd/internal/checkpoint/record"
)

// Change is a settled key for which the new generation differs from the base.
type Change struct {
	Key      string
	Entry    *record.Entry // the new entry, nil for none
	Replaces bool          // whether the base has a row for this key
}

// Merger merges the changes of a pass into the base generation. It walks the base once, as the
// low-water mark moves. It yields unchanged chunks without reading them. When the first change in a
// chunk is saved, it opens the chunk and reads it from its first row.
type Merger struct {
	Base *Walker[EntryRow]
}

// UpTo yields the rows of the new generation that follow the rows of the previous call, up to the
// key of the last change.
func (m *Merger) UpTo(ctx context.Context, changes []Change) iter.Seq2[Item[EntryRow], error] {
	return func(yield func(Item[EntryRow], error) bool) {
		for _, c := range changes {
			if !m.carry(ctx, func(key string) bool { return key < c.Key }, yield) {
				return
			}
			if err := m.replace(ctx, c); err != nil {
				yield(Item[EntryRow]{}, err)
				return
			}
			if c.Entry != nil && !yield(Item[EntryRow]{Row: RowOfEntry(c.Entry)}, nil) {
				return
			}
		}
	}
}

// ToEnd yields the rows of UpTo and then all remaining rows of the base.
func (m *Merger) ToEnd(ctx context.Context, changes []Change) iter.Seq2[Item[EntryRow], error] {
	return func(yield func(Item[EntryRow], error) bool) {
		for it, err := range m.UpTo(ctx, changes) {
			if !yield(it, err) || err != nil {
				return
			}
		}
		m.carry(ctx, func(string) bool { return true }, yield)
	}
}

// carry yields the rows of the base whose keys satisfy below, and whole chunks where possible. It
// returns false if the consumer stopped or the base could not be read.
func (m *Merger) carry(
	ctx context.Context, below func(key string) bool, yield func(Item[EntryRow], error) bool,
) bool {
	for {
		if chunk, ok := m.Base.whole(); ok {
			if !below(chunk.FirstKey) {
				return true // the change is before the chunk, so the chunk stays closed
			}
			if below(chunk.LastKey) {
				m.Base.skipChunk()
				if !yield(Item[EntryRow]{whole: &chunk}, nil) {
					return false
				}
				continue
			}
		}
		head, err := m.Base.Head(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return true
		case err != nil:
			yield(Item[EntryRow]{}, err)
			return false
		case !below(head.Key):
			return true
		}
		m.Base.Take()
		if !yield(Item[EntryRow]{Row: head}, nil) {
			return false
		}
	}
}

// replace skips the row of the base that c replaces.
func (m *Merger) replace(ctx context.Context, c Change) error {
	if !c.Replaces {
		return nil
	}
	head, err := m.Base.Head(ctx)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err != nil || head.Key != c.Key {
		return fmt.Errorf("BUG: a change replaces the row of key %q, but the next row of the base generation is not that row", c.Key)
	}
	m.Base.Take()
	return nil
}
