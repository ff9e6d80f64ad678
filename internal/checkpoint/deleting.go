package checkpoint

import (
	"context"
	"errors"
	"iter"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/record"
)

// deleting removes the entries of copies that were deleted, after the walks of a pass.
type deleting struct{ in *saving }

// errNotWalked is returned if deletes begin before every range is settled.
var errNotWalked = errors.New("BUG: deletes begin before every range is settled")

// Deletable returns the entries that were settled by CarryDue with at least the given Missed, also
// before the pass was resumed, and were not removed since. Call it once every range is settled:
// Deletable saves the pass first. The rows are read from what the pass has saved, so memory use does
// not grow with their number. Remove can be called meanwhile.
func (d *deleting) Deletable(ctx context.Context, missed int64) (iter.Seq2[record.Entry, error], error) {
	if !d.in.Settled().IsAll() {
		return nil, errNotWalked
	}
	if err := d.in.Flush(ctx); err != nil {
		return nil, err
	}
	var runs []record.Run
	if err := d.in.inTurn(ctx, func() { runs = d.in.saver.progress.Runs }); err != nil {
		return nil, err
	}
	return func(yield func(record.Entry, error) bool) {
		for e, err := range chunk.Entries(ctx, d.in.saver.store, runs, "") {
			if (err != nil || e.Missed >= missed) && !yield(e, err) || err != nil {
				return
			}
		}
	}, nil
}

// Remove removes the entries of keys that Deletable has returned. They count as dropped. The next save
// writes this.
func (d *deleting) Remove(keys ...string) {
	p := d.in
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return
	}
	for _, key := range keys {
		p.changes.entries = append(p.changes.entries, chunk.RemovedEntry(key, p.number))
		p.changes.moreEntries--
		p.counts.Carried--
		p.counts.Missed--
		p.counts.Due--
		p.counts.Dropped++
	}
	p.moves++
}
