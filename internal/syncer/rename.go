package syncer

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"syncd/internal/checkpoint"
	"syncd/internal/listing"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

// ErrLedgerTaken says that a mapping which should take over a ledger has one of its own.
var ErrLedgerTaken = errors.New("the mapping has a ledger of its own")

// Rename gives a mapping the ledger of another name, in the same store. The mapping must have none; the former ledger stays
// as it is. What it says of copies in other places than those of its last settings is left behind, and so is its quarantine, but for
// what that says of copies: the next pass looks at those objects again.
func Rename(ctx context.Context, store checkpoint.Store, from string, to checkpoint.Options) (entries int64, err error) {
	old, err := checkpoint.Open(ctx, store, checkpoint.Options{Mapping: from, Holder: to.Holder, Now: to.Now, Logger: to.Logger})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	if old.Generation() == 0 {
		return 0, fmt.Errorf("rename ledger of %q: %w", from, checkpoint.ErrNoCheckpoint)
	}
	last, ok := identify(old.Manifest().Fingerprint)
	if !ok {
		return 0, fmt.Errorf("rename ledger of %q: its settings cannot be read", from)
	}
	since, err := recall(cmp.Or(old.Manifest().Memo, old.Manifest().Fingerprint))
	if err != nil {
		return 0, fmt.Errorf("rename ledger of %q: %w", from, err)
	}
	ledger, err := checkpoint.Open(ctx, store, to)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, ledger.Close()) }()
	if ledger.Generation() > 0 {
		return 0, fmt.Errorf("rename ledger of %q to %q: %w", from, to.Mapping, ErrLedgerTaken)
	}
	ledger.SetSettings(func(checkpoint.Settings, int64) checkpoint.Settings {
		return checkpoint.Settings{Fingerprint: text(identity{Settings: last.Settings}), Memo: text(history{})}
	})
	unfinished, err := old.Begin(ctx)
	if err != nil {
		return 0, err
	}
	return copyLedger(ctx, store, ledger, former{name: from, history: since, claims: unfinished.Claims()})
}

// former is what is taken over from a ledger.
type former struct {
	name string
	history
	claims []checkpoint.Claim
}

// copyLedger makes a generation of what another ledger knows of the copies in the place of its last settings.
func copyLedger(ctx context.Context, store checkpoint.Store, to *checkpoint.Ledger, f former) (entries int64, err error) {
	pass, err := to.Begin(ctx)
	if err != nil {
		return 0, err
	}
	pass.TakeClaims(f.claims)
	nothing := func(func(listing.Object, error) bool) {}
	known := plan.Diff(nothing, checkpoint.Entries(ctx, store, f.name), checkpoint.Quarantine(ctx, store, f.name), plan.Rules{TargetSince: f.TargetSince})
	for a, err := range known {
		if err != nil {
			return 0, err
		}
		if a.Object.Key <= pass.Mark() {
			continue
		}
		slot, err := pass.Reserve(ctx, a.Object.Key)
		if err != nil {
			return 0, err
		}
		f.settle(slot, a)
	}
	if _, err := pass.Commit(ctx); err != nil {
		return 0, err
	}
	return to.Entries(), nil
}

func (f former) settle(slot *checkpoint.Slot, a plan.Action) {
	switch entry := a.Previous; {
	case a.Unsure:
		slot.Quarantine(*a.SetAside, nil)
	case entry == nil || entry.Pass < f.PlaceSince:
		slot.Drop()
	case entry.Pass < f.ClassSince:
		entry.Source = transfer.Version{} // so that it is copied into today's class
		slot.Record(*entry)
	default:
		slot.Record(*entry)
	}
}

// offerFormer looks for the ledger of a mapping that copied between the same places under another name, where this one has
// none, and says how to take it over.
func (s *Syncer) offerFormer(ctx context.Context) error {
	names, err := checkpoint.Mappings(ctx, s.o.Store)
	if err != nil {
		return err
	}
	for _, name := range names {
		last, err := checkpoint.Latest(ctx, s.o.Store, name)
		if err != nil || name == s.o.Mapping {
			continue // a ledger that cannot be read is not offered
		}
		if former, ok := s.o.identify(last.Fingerprint); ok && former.sameKeys(s.o.Settings) {
			s.o.Logger.Warn("a ledger of another name fits this mapping; take it over with syncd ledger rename", "from", name, "entries", last.Entries)
		}
	}
	return nil
}
