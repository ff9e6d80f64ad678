package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/record"
)

// deleting removes the entries of copies that were deleted, after the walks of a pass.
type deleting struct{ in *saving }

// errNotWalked is returned if deletes begin before every range is settled.
var errNotWalked = errors.New("BUG: deletes begin before every range is settled")

// Deletable returns the entries with keys above after that at least missed passes in a row did not
// list, this pass included, in ascending order. Call it once every range is settled: Deletable saves
// the pass first. The rows are read from what the pass has saved, so memory use does not grow with
// their number, and entries that were removed are left out.
func (d *deleting) Deletable(ctx context.Context, missed int64, after string) (iter.Seq2[record.Entry, error], error) {
	if !d.in.Settled().IsAll() {
		return nil, errNotWalked
	}
	if err := d.in.Flush(ctx); err != nil {
		return nil, err
	}
	var runs []record.Run
	if err := d.in.inTurn(ctx, func() error { runs = d.in.saver.progress.Runs; return nil }); err != nil {
		return nil, err
	}
	return due(chunk.Entries(ctx, d.in.saver.store, runs, after), missed, d.in.saver.base.Pass), nil
}

// due returns the entries that at least missed passes in a row did not list, a pass after base included.
func due(entries iter.Seq2[record.Entry, error], missed, base int64) iter.Seq2[record.Entry, error] {
	return func(yield func(record.Entry, error) bool) {
		for e, err := range entries {
			isDue := err == nil && e.Missed >= missed && e.MissedIn > base
			if (err != nil || isDue) && !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// ClaimDeletes saves a claim on ranges of keys. Call it before deletes of these keys are sent. Call
// answered once the result of every delete is known and recorded with Remove. The claim stays until the
// pass commits, because until then another process can start again from the last generation. A claim that
// was not answered outlives the pass, because its deletes can still take effect. While a claim exists,
// later passes check the copies.
func (d *deleting) ClaimDeletes(ctx context.Context, keys []record.Range) (answered func(), err error) {
	p := d.in
	now := p.saver.chain.Now().UTC().Truncate(time.Microsecond)
	p.mu.Lock()
	id := p.claims.addUnanswered(p.fingerprint, keys, now)
	p.mu.Unlock()
	if err := p.saveClaims(ctx, id); err != nil {
		return nil, fmt.Errorf("claim deletes: %w", err)
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.claims.answer(id)
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
		p.counts.Dropped++
		p.counts.Deleted++
	}
	p.moves++
}

// Seen resets the Missed of an entry that Deletable has returned, because the source has its object again.
func (d *deleting) Seen(e record.Entry) {
	p := d.in
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return
	}
	e.Missed, e.MissedIn = 0, 0
	p.changes.entries = append(p.changes.entries, chunk.RowOfEntry(&e))
	p.moves++
}
