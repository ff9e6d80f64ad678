package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
)

// change is a settled key at which the new generation differs from the base.
type change struct {
	key      string
	entry    *Entry // what the ledger holds from now on, nil: nothing
	replaces bool   // whether the base has a row of this key
}

// weaver merges the base generation with the changes of a pass. It walks the
// base once, in step with the low-water mark: a chunk in which nothing changed
// is handed on unread, one in which something changed is read from its first
// row when the first change in it is saved.
type weaver struct {
	base *walker[entryRow]
}

// upTo yields what the new generation holds from where the last call ended to
// the key of the last change.
func (w *weaver) upTo(ctx context.Context, changes []change) iter.Seq2[item[entryRow], error] {
	return func(yield func(item[entryRow], error) bool) {
		for _, c := range changes {
			if !w.carry(ctx, func(key string) bool { return key < c.key }, yield) {
				return
			}
			if err := w.replace(ctx, c); err != nil {
				yield(item[entryRow]{}, err)
				return
			}
			if c.entry != nil && !yield(item[entryRow]{row: rowOfEntry(c.entry)}, nil) {
				return
			}
		}
	}
}

// toEnd yields what upTo yields and then the rest of the base.
func (w *weaver) toEnd(ctx context.Context, changes []change) iter.Seq2[item[entryRow], error] {
	return func(yield func(item[entryRow], error) bool) {
		for it, err := range w.upTo(ctx, changes) {
			if !yield(it, err) || err != nil {
				return
			}
		}
		w.carry(ctx, func(string) bool { return true }, yield)
	}
}

// carry yields the base as long as its keys are below the next change. It
// reports whether the sequence goes on.
func (w *weaver) carry(
	ctx context.Context, below func(key string) bool, yield func(item[entryRow], error) bool,
) bool {
	for {
		if chunk, ok := w.base.whole(); ok {
			if !below(chunk.FirstKey) {
				return true // the change lies before the chunk, which need not be opened for it
			}
			if below(chunk.LastKey) {
				w.base.skipChunk()
				if !yield(item[entryRow]{whole: &chunk}, nil) {
					return false
				}
				continue
			}
		}
		head, err := w.base.head(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return true
		case err != nil:
			yield(item[entryRow]{}, err)
			return false
		case !below(head.Key):
			return true
		}
		w.base.take()
		if !yield(item[entryRow]{row: head}, nil) {
			return false
		}
	}
}

// replace passes over the row of the base that c takes the place of.
func (w *weaver) replace(ctx context.Context, c change) error {
	if !c.replaces {
		return nil
	}
	head, err := w.base.head(ctx)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if err != nil || head.Key != c.key {
		return fmt.Errorf("BUG: key %q is not where the base generation had it", c.key)
	}
	w.base.take()
	return nil
}
