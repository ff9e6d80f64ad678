package syncer

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"syncd/internal/checkpoint"
)

// ErrLedgerTaken says that a mapping which should take over a ledger has one of its own.
var ErrLedgerTaken = errors.New("the mapping has a ledger of its own")

// Rename gives a mapping the ledger of another name, in the same store. The mapping must have none; the former ledger stays
// as it is. What it says of copies under other settings than its last is left behind, and so is its quarantine: the next
// pass looks at those objects anew.
func Rename(ctx context.Context, store checkpoint.Store, from string, to checkpoint.Options) (entries int64, err error) {
	former, err := checkpoint.Open(ctx, store, checkpoint.Options{Mapping: from, Holder: to.Holder, Now: to.Now, Logger: to.Logger})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, former.Close()) }()
	if former.Generation() == 0 {
		return 0, fmt.Errorf("rename ledger of %q: %w", from, checkpoint.ErrNoCheckpoint)
	}
	last, ok := identify(former.Manifest().Fingerprint)
	if !ok {
		return 0, fmt.Errorf("rename ledger of %q: its settings cannot be read", from)
	}
	since, err := recall(cmp.Or(former.Manifest().Memo, former.Manifest().Fingerprint))
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
	return copyEntries(ctx, store, ledger, from, max(since.PlaceSince, since.ClassSince))
}

// copyEntries makes a generation of the entries of another ledger that were copied since a pass of it.
func copyEntries(ctx context.Context, store checkpoint.Store, to *checkpoint.Ledger, from string, since int64) (entries int64, err error) {
	pass, err := to.Begin(ctx)
	if err != nil {
		return 0, err
	}
	for entry, err := range checkpoint.Entries(ctx, store, from) {
		if err != nil {
			return 0, err
		}
		if entry.Pass < since || entry.Key <= pass.Mark() {
			continue
		}
		slot, err := pass.Reserve(ctx, entry.Key)
		if err != nil {
			return 0, err
		}
		slot.Record(entry)
	}
	if _, err := pass.Commit(ctx); err != nil {
		return 0, err
	}
	return to.Entries(), nil
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
