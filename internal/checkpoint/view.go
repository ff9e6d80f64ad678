package checkpoint

import (
	"context"
	"errors"
	"io/fs"
	"iter"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/overlay"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// view is the state from which a pass starts.
type view struct {
	store   store.Store
	base    record.Manifest  // generation that the pass started from; zero if there is none
	start   string           // mark after which the pass resumed
	settled []record.Chunk   // chunks with the entries settled up to start
	overlay *overlay.Overlay // rows that the interrupted pass settled above start
}

// Mark returns the key after which the pass began, or "" if it began at the first key. Keys at or
// below Mark were settled before the pass was interrupted.
func (p *view) Mark() string { return p.start }

// Previous yields the entries that exist at the start of the pass and have keys above Mark, in
// ascending order: the entries of the last generation, and the entries that the pass itself
// recorded before it was interrupted. In entries that the pass recorded, Pass is higher than the
// number of the last generation. Previous keeps only a bounded number of rows in memory.
func (p *view) Previous(ctx context.Context) iter.Seq2[record.Entry, error] {
	return p.PreviousAfter(ctx, p.start)
}

// PreviousAfter is like Previous, but yields only entries with keys above after, which must be at
// or above Mark.
func (p *view) PreviousAfter(ctx context.Context, after string) iter.Seq2[record.Entry, error] {
	base := chunk.Entries(ctx, p.store, p.base.Chunks, after)
	return p.overlay.Above(after).Entries(base)
}

// Base yields the entries of the last generation in ascending order, from the first key.
func (p *view) Base(ctx context.Context) iter.Seq2[record.Entry, error] { return p.baseAfter(ctx, "") }

func (p *view) baseAfter(ctx context.Context, after string) iter.Seq2[record.Entry, error] {
	return chunk.Entries(ctx, p.store, p.base.Chunks, after)
}

// CopiedAfter yields the entries with keys above after in ascending order, as they were when the
// pass began. Up to Mark it yields the entries that the pass settled before it was interrupted, and
// above Mark the entries of the last generation.
func (p *view) CopiedAfter(ctx context.Context, after string) iter.Seq2[record.Entry, error] {
	return func(yield func(record.Entry, error) bool) {
		if after < p.start {
			for e, err := range chunk.Entries(ctx, p.store, p.settled, after) {
				if errors.Is(err, fs.ErrNotExist) {
					break // this pass has merged the chunk with other chunks in the meantime
				}
				if !yield(e, err) || err != nil {
					return
				}
			}
		}
		for e, err := range p.baseAfter(ctx, max(after, p.start)) {
			if !yield(e, err) {
				return
			}
		}
	}
}

// PreviousQuarantine yields the quarantined objects with keys above Mark in ascending order. These
// are the objects in quarantine in the last generation, and the objects that the pass itself
// quarantined before it was interrupted.
func (p *view) PreviousQuarantine(ctx context.Context) iter.Seq2[record.Quarantined, error] {
	return p.PreviousQuarantineAfter(ctx, p.start)
}

// PreviousQuarantineAfter is like PreviousQuarantine, but yields only objects with keys above
// after, which must be at or above Mark.
func (p *view) PreviousQuarantineAfter(ctx context.Context, after string) iter.Seq2[record.Quarantined, error] {
	base := chunk.Quarantine(ctx, p.store, p.base.QuarantineChunks, after)
	return p.overlay.Above(after).Quarantine(base)
}
