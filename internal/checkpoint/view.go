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

// view is what a pass starts from.
type view struct {
	store   store.Store
	base    record.Manifest  // generation the pass started from; zero: none
	start   string           // mark after which it resumed
	settled []record.Chunk   // what it had settled up to there
	overlay *overlay.Overlay // what the interrupted pass had settled above its mark
}

// Mark returns the key after which the pass began, "" for the first key. Keys at or below it were
// settled before the pass was interrupted.
func (p *view) Mark() string { return p.start }

// Previous yields the entries that the pass starts from, with keys above Mark, ascending: the last
// generation's, and those that the pass had recorded itself before it was interrupted, whose Pass
// is above that of the generation. It reads as it goes and holds a bounded number of rows.
func (p *view) Previous(ctx context.Context) iter.Seq2[record.Entry, error] {
	return p.PreviousAfter(ctx, p.start)
}

// PreviousAfter is Previous for the keys above after, which is at or above Mark.
func (p *view) PreviousAfter(ctx context.Context, after string) iter.Seq2[record.Entry, error] {
	base := chunk.Entries(ctx, p.store, p.base.Chunks, after)
	return p.overlay.Above(after).Entries(base)
}

// Base yields the entries of the last generation, ascending, from its first key.
func (p *view) Base(ctx context.Context) iter.Seq2[record.Entry, error] { return p.baseAfter(ctx, "") }

func (p *view) baseAfter(ctx context.Context, after string) iter.Seq2[record.Entry, error] {
	return chunk.Entries(ctx, p.store, p.base.Chunks, after)
}

// CopiedAfter yields entries with keys above after, ascending, as they were when the pass began: up
// to Mark what it had settled before it was interrupted, and above that those of the last
// generation.
func (p *view) CopiedAfter(ctx context.Context, after string) iter.Seq2[record.Entry, error] {
	return func(yield func(record.Entry, error) bool) {
		if after < p.start {
			for e, err := range chunk.Entries(ctx, p.store, p.settled, after) {
				if errors.Is(err, fs.ErrNotExist) {
					break // this pass has merged it with others since
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

// PreviousQuarantine yields what was set aside, keys above Mark, ascending: by the last generation,
// and by the pass itself before it was interrupted.
func (p *view) PreviousQuarantine(ctx context.Context) iter.Seq2[record.Quarantined, error] {
	return p.PreviousQuarantineAfter(ctx, p.start)
}

// PreviousQuarantineAfter is PreviousQuarantine for the keys above after, which is at or above
// Mark.
func (p *view) PreviousQuarantineAfter(ctx context.Context, after string) iter.Seq2[record.Quarantined, error] {
	base := chunk.Quarantine(ctx, p.store, p.base.QuarantineChunks, after)
	return p.overlay.Above(after).Quarantine(base)
}
