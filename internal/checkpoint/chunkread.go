package checkpoint

import (
	"context"
	"iter"
)

// readEntries yields the entries in chunks with keys above after, ascending, one chunk open at a time.
func readEntries(ctx context.Context, store Store, chunks []ChunkInfo, after string) iter.Seq2[Entry, error] {
	rows := readRows[entryRow](ctx, store, chunks, after)
	return func(yield func(Entry, error) bool) {
		for r, err := range rows {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if !yield(r.entry(), nil) {
				return
			}
		}
	}
}

// readQuarantine yields what chunks of quarantine have with keys above after, ascending, one chunk open at a time.
func readQuarantine(ctx context.Context, store Store, chunks []ChunkInfo, after string) iter.Seq2[Quarantined, error] {
	rows := readRows[quarantineRow](ctx, store, chunks, after)
	return func(yield func(Quarantined, error) bool) {
		for r, err := range rows {
			if err != nil {
				yield(Quarantined{}, err)
				return
			}
			if !yield(r.quarantined(), nil) {
				return
			}
		}
	}
}
