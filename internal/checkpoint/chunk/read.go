package chunk

import (
	"context"
	"errors"
	"io"
	"iter"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// Read yields the rows of chunks with keys above after. It opens one chunk at a time.
func Read[R Row](ctx context.Context, store store.Store, chunks []record.Chunk, after string) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		c := NewWalker[R](store, chunks, after)
		defer func() { _ = c.Close() }() // opened for reading, so a failed close loses no data
		for {
			head, err := c.Head(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(head, err) || err != nil {
				return
			}
			c.Take()
		}
	}
}

// Entries yields the entries of chunks with keys above after, in ascending order. It opens one
// chunk at a time.
func Entries(ctx context.Context, store store.Store, chunks []record.Chunk, after string) iter.Seq2[record.Entry, error] {
	rows := Read[EntryRow](ctx, store, chunks, after)
	return func(yield func(record.Entry, error) bool) {
		for r, err := range rows {
			if err != nil {
				yield(record.Entry{}, err)
				return
			}
			if !yield(r.Entry(), nil) {
				return
			}
		}
	}
}

// Quarantine yields the quarantined objects of chunks with keys above after, in ascending order. It
// opens one chunk at a time.
func Quarantine(ctx context.Context, store store.Store, chunks []record.Chunk, after string) iter.Seq2[record.Quarantined, error] {
	rows := Read[QuarantineRow](ctx, store, chunks, after)
	return func(yield func(record.Quarantined, error) bool) {
		for r, err := range rows {
			if err != nil {
				yield(record.Quarantined{}, err)
				return
			}
			if !yield(r.Quarantined(), nil) {
				return
			}
		}
	}
}
