package preview

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/provenance"
)

// past is the ledger's record of the passes before the next one, read without the lease.
type past struct {
	store           store.Store
	mapping         string
	last            record.Manifest // zero if there is none
	progress        record.Progress // of the pass that would be resumed; zero if there is none
	settings        record.Settings // of the next pass
	claims          []record.Claim  // claims that the next pass inherits
	checkpoint.View                 // the state from which the next pass starts
	isWhole         bool            // the pass begins at the first key, even if another was interrupted
	damage          string          // why no generation is readable; "" if one is readable or none exists
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
		p.View = checkpoint.NewView(p.store, record.Manifest{}, record.Progress{})
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
	p.View = checkpoint.NewView(p.store, p.last, p.progress)
	return nil
}

// Open returns the ranges of the keys to walk.
func (p *past) Open() []record.Range {
	if p.isWhole {
		return []record.Range{{}}
	}
	return p.View.Open()
}

// Memo returns the memo of the next pass.
func (p *past) Memo() string { return p.settings.Memo }

// Claims returns the claims that the next pass inherits.
func (p *past) Claims() []record.Claim { return p.claims }

// Number returns the number that the next pass would have.
func (p *past) Number() int64 { return p.last.Generation + 1 }
