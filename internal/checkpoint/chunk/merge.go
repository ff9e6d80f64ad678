package chunk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"syncd/internal/checkpoint/record"
)

// Change is a settled key at which the new generation differs from the base.
type Change struct {
	Key      string
	Entry    *record.Entry // what the ledger holds from now on, nil: nothing
	Replaces bool          // whether the base has a row of this key
}

// Merger merges the base generation with the changes of a pass. It walks the base once, in step
// with the low-water mark: a chunk in which nothing changed is handed on unread, one in which
// something changed is read from its first row when the first change in it is saved.
type Merger struct {
	Base *Walker[EntryRow]
}

// UpTo yields what the new generation holds from where the last call ended to the key of the last
// change.
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

// ToEnd yields what upTo yields and then the rest of the base.
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

// carry yields the base as long as its keys are below the next change. It reports whether the
// sequence continues.
func (m *Merger) carry(
	ctx context.Context, below func(key string) bool, yield func(Item[EntryRow], error) bool,
) bool {
	for {
		if chunk, ok := m.Base.whole(); ok {
			if !below(chunk.FirstKey) {
				return true // the change lies before the chunk, which need not be opened for it
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

// replace passes over the row of the base that c takes the place of.
func (m *Merger) replace(ctx context.Context, c Change) error {
	if !c.Replaces {
		return nil
	}
	head, err := m.Base.Head(ctx)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err != nil || head.Key != c.Key {
		return fmt.Errorf("BUG: key %q is not where the base generation had it", c.Key)
	}
	m.Base.Take()
	return nil
}
