package preview

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/overlay"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/provenance"
)

// past is the ledger's record of the passes before the next one, read without the lease.
type past struct {
	store    store.Store
	mapping  string
	last     record.Manifest // zero if there is none
	progress record.Progress // of the pass that would be resumed; zero if there is none
	settings record.Settings // of the next pass
	claims   []record.Claim  // claims that the next pass inherits

	// overEntries and overAside merge the progress of the pass that would be resumed into the
	// entries and the quarantine rows of the last generation.
	overEntries func(iter.Seq2[record.Entry, error]) iter.Seq2[record.Entry, error]
	overAside   func(iter.Seq2[record.Quarantined, error]) iter.Seq2[record.Quarantined, error]
	damage      string // why no generation is readable; "" if one is readable or none exists
}

var _ planner.Past = (*past)(nil)

// readPast reads the last generation. If no generation is complete, the next pass starts with an
// empty ledger, and so does the preview.
func readPast(ctx context.Context, m provenance.Mapping, log *slog.Logger) (*past, error) {
	last, err := record.Latest(ctx, m.Store, m.Name)
	p := &past{store: m.Store, mapping: m.Name, last: last}
	switch {
	case errors.Is(err, record.ErrNothingWhole):
		p.damage = err.Error()
	case errors.Is(err, record.ErrNoCheckpoint):
	case err != nil:
		return nil, err
	}
	if p.last.Generation == 0 {
		return p, m.Offer(ctx, log)
	}
	return p, nil
}

// resume looks for an unfinished pass that a pass with these settings would resume, and for the
// claims of earlier passes.
func (p *past) resume(ctx context.Context, now record.Settings) error {
	p.settings, p.claims = now, p.last.Claims
	if p.damage != "" {
		p.overEntries, p.overAside, _ = overlay.Of(ctx, p.store, record.Progress{}) // reads nothing
		return nil
	}
	progress, ok, err := record.Unfinished(ctx, p.store, p.mapping)
	if err != nil {
		return fmt.Errorf("look for an unfinished pass: %w", err)
	}
	if ok {
		p.claims = progress.Claims // includes the claims of the last generation
	}
	if ok && progress.Fingerprint == now.Fingerprint {
		p.progress, p.settings = progress, progress.Settings
	}
	p.overEntries, p.overAside, err = overlay.Of(ctx, p.store, p.progress)
	return err
}

// Memo returns the memo of the next pass.
func (p *past) Memo() string { return p.settings.Memo }

// Claims returns the claims that the next pass inherits.
func (p *past) Claims() []record.Claim { return p.claims }

// Number returns the number that the next pass would have.
func (p *past) Number() int64 { return p.last.Generation + 1 }

// Mark returns the key after which the next pass would begin.
func (p *past) Mark() string {
	if len(p.progress.Ranges) == 0 {
		return ""
	}
	return p.progress.Ranges[0].Mark
}

// Previous yields the entries after the mark. These are the entries of the last generation, updated
// with the saved progress of the pass that would be resumed.
func (p *past) Previous(ctx context.Context) iter.Seq2[record.Entry, error] {
	return p.overEntries(afterMark(p, checkpoint.Entries(ctx, p.store, p.mapping), func(e record.Entry) string { return e.Key }))
}

// Base yields the entries of the last generation.
func (p *past) Base(ctx context.Context) iter.Seq2[record.Entry, error] {
	if p.last.Generation == 0 {
		return func(func(record.Entry, error) bool) {}
	}
	return checkpoint.Entries(ctx, p.store, p.mapping)
}

// PreviousQuarantine yields the quarantine rows after the mark, updated in the same way as in
// Previous.
func (p *past) PreviousQuarantine(ctx context.Context) iter.Seq2[record.Quarantined, error] {
	return p.overAside(afterMark(p, checkpoint.Quarantine(ctx, p.store, p.mapping), func(q record.Quarantined) string { return q.Key }))
}

func afterMark[T any](p *past, rows iter.Seq2[T, error], keyOf func(T) string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		if p.last.Generation == 0 {
			return
		}
		mark := p.Mark()
		for row, err := range rows {
			if (err != nil || keyOf(row) > mark) && !yield(row, err) {
				return
			}
		}
	}
}
