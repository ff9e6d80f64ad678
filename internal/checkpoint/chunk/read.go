package chunk

import (
	"context"
	"iter"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// Entries yields the entries in chunks with keys above after, ascending, one chunk open at a time.
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

// Quarantine yields what chunks of quarantine have with keys above after, ascending, one chunk open at a time.
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
