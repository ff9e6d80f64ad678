package syncer

import (
	"context"
	"errors"
	"fmt"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/syncer/planner"
	"syncd/internal/syncer/provenance"
)

// ErrUnfinished means that an interrupted pass must be finished before anything else can be written
// to the ledger.
var ErrUnfinished = errors.New("a pass is unfinished")

// hasReplay reports whether a replay has any objects to retry. It returns an error if a replay is
// not allowed.
func hasReplay(ctx context.Context, m provenance.Mapping, ledger *checkpoint.Ledger, choose planner.Selector) (bool, error) {
	if ledger.Manifest().Quarantined == 0 {
		return false, nil
	}
	progress, ok, err := record.Unfinished(ctx, m.Store, m.Name)
	if err != nil {
		return false, fmt.Errorf("look for an unfinished pass: %w", err)
	}
	if ok && !provenance.OfReplay(progress.Fingerprint) {
		return false, fmt.Errorf("%w: pass %d of %s", ErrUnfinished, progress.Generation, m.Name)
	}
	for q, err := range checkpoint.Quarantine(ctx, m.Store, m.Name) {
		if err != nil {
			return false, fmt.Errorf("read the quarantine: %w", err)
		}
		if choose(q) {
			return true, nil
		}
	}
	return false, nil
}
