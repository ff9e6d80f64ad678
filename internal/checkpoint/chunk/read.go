package chunk

import (
	"context"
	"iter"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// Entries yields the entries of runs, oldest first, with keys above after, in ascending order. It
// opens one chunk of each run at a time.
func Entries(ctx context.Context, store store.Store, runs []record.Run, after string) iter.Seq2[record.Entry, error] {
	rows := live[EntryRow](ctx, store, runs, after)
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

// Quarantine yields the quarantined objects of runs, oldest first, with keys above after, in
// ascending order. It opens one chunk of each run at a time.
func Quarantine(ctx context.Context, store store.Store, runs []record.Run, after string) iter.Seq2[record.Quarantined, error] {
	rows := live[QuarantineRow](ctx, store, runs, after)
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
