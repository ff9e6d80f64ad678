package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// View is the state from which a pass starts: the last generation, and the rows that the pass
// itself saved before it was interrupted. Reading it does not need the lease. It keeps only a
// bounded number of rows in memory.
type View struct {
	store   store.Store
	base    []record.Run
	runs    []record.Run // base and the rows that the pass saved, oldest first
	aside   []record.Run // the same of the quarantine
	settled record.Ranges
	pass    int64 // pass that committed the base
}

// NewView returns the state from which a pass starts that resumes from progress on the generation
// base. The zero Progress stands for a new pass, the zero Manifest for an empty ledger.
func NewView(store store.Store, base record.Manifest, progress record.Progress) View {
	return View{
		store: store, base: base.Runs, settled: progress.Settled, pass: base.Pass,
		runs: slices.Concat(base.Runs, progress.Runs), aside: slices.Concat(base.QuarantineRuns, progress.QuarantineRuns),
	}
}

// Open returns the ranges of the keys that the pass must walk, in ascending order: those that were
// not settled before it was interrupted.
func (v *View) Open() []record.Range { return v.settled.Gaps() }

// Previous yields the entries with keys above after, in ascending order. In entries that the pass
// itself recorded before it was interrupted, Pass is higher than the number of the last generation.
func (v *View) Previous(ctx context.Context, after string) iter.Seq2[record.Entry, error] {
	return chunk.Entries(ctx, v.store, v.runs, after)
}

// PreviousQuarantine yields the quarantined objects with keys above after, in ascending order.
func (v *View) PreviousQuarantine(ctx context.Context, after string) iter.Seq2[record.Quarantined, error] {
	return chunk.Quarantine(ctx, v.store, v.aside, after)
}

// LeftToDelete yields, in ascending order, the entries of copies that an interrupted pass had found due to be
// deleted in the ranges that it had settled, as Pass.Deletable does.
func (v *View) LeftToDelete(ctx context.Context, missed int64) iter.Seq2[record.Entry, error] {
	return func(yield func(record.Entry, error) bool) {
		for e, err := range due(chunk.Entries(ctx, v.store, v.runs[len(v.base):], ""), missed, v.pass) {
			if (err != nil || v.settled.Contains(e.Key)) && !yield(e, err) {
				return
			}
		}
	}
}

// Base yields the entries of the last generation in ascending order, from the first key.
func (v *View) Base(ctx context.Context) iter.Seq2[record.Entry, error] {
	return chunk.Entries(ctx, v.store, v.base, "")
}

// Bounds returns up to n-1 keys, in ascending order, that divide the keys of the ledger into ranges
// of about the same number of entries, at least least. Each key is the last key of a chunk, so that
// two ranges do not read the same chunk.
func (v *View) Bounds(n int, least int64) (bounds []string) {
	if len(v.runs) == 0 {
		return nil
	}
	largest := slices.MaxFunc(v.runs, func(a, b record.Run) int { return int(a.Rows() - b.Rows()) })
	total, sum := largest.Rows(), int64(0)
	n = min(n, int(total/least))
	for i, c := range largest.Chunks {
		sum += c.Entries
		if isLast := i == len(largest.Chunks)-1; !isLast && sum*int64(n) >= total*int64(len(bounds)+1) {
			bounds = append(bounds, c.LastKey)
		}
	}
	return bounds
}

// Readers returns how many chunks are open while one range of the ledger is read.
func (v *View) Readers() int { return max(1, len(v.runs)+len(v.aside)) }

// Finder returns a Finder for the keys above after.
func (v *View) Finder(ctx context.Context, after string) *Finder {
	f := &Finder{}
	f.entry.next, f.entry.stop = iter.Pull2(v.Previous(ctx, after))
	f.aside.next, f.aside.stop = iter.Pull2(v.PreviousQuarantine(ctx, after))
	return f
}

// Finder looks up the rows of keys in a View. The caller must call Close.
type Finder struct {
	entry finding[record.Entry]
	aside finding[record.Quarantined]
}

// Find returns the rows of a key. Call it with ascending keys.
func (f *Finder) Find(key string) (rows record.Rows, err error) {
	var errEntry, errAside error
	rows.Entry, errEntry = f.entry.find(key, func(e *record.Entry) string { return e.Key })
	rows.Quarantined, errAside = f.aside.find(key, func(q *record.Quarantined) string { return q.Key })
	if err := errors.Join(errEntry, errAside); err != nil {
		return record.Rows{}, fmt.Errorf("look up key %q: %w", key, err)
	}
	return rows, nil
}

// Close closes the chunks that the Finder reads.
func (f *Finder) Close() {
	f.entry.stop()
	f.aside.stop()
}

// finding is a sequence of rows and the row that was read last.
type finding[T any] struct {
	next    func() (T, error, bool)
	stop    func()
	row     T
	isRead  bool
	isEnded bool
}

func (f *finding[T]) find(key string, keyOf func(*T) string) (*T, error) {
	for !f.isEnded && (!f.isRead || keyOf(&f.row) < key) {
		row, err, ok := f.next()
		if err != nil {
			return nil, err
		}
		f.row, f.isRead, f.isEnded = row, ok, !ok
	}
	if f.isEnded || keyOf(&f.row) != key {
		return nil, nil
	}
	row := f.row
	return &row, nil
}
