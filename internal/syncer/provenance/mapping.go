package provenance

import (
	"context"
	"log/slog"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// Mapping is a mapping as it is configured now, and the store that its ledger is in.
type Mapping struct {
	// Name is the mapping's name.
	Name string
	// Settings are those of today.
	Settings Settings
	// Store has the ledgers of all mappings.
	Store store.Store
}

// Fitting calls found with the last generation of each other ledger that is of copies between the
// mapping's places. One that cannot be read is none.
func (m Mapping) Fitting(ctx context.Context, found func(last record.Manifest, name string)) error {
	names, err := record.Mappings(ctx, m.Store)
	if err != nil {
		return err
	}
	for _, name := range names {
		last, err := record.Latest(ctx, m.Store, name)
		if err != nil || name == m.Name {
			continue
		}
		if former, ok := ReadFingerprint(last.Fingerprint); ok && former.SameKeys(m.Settings) {
			found(last, name)
		}
	}
	return nil
}

// Offer looks for the ledger of a mapping that copied between the same places under another name,
// where this one has none, and logs how to take it over.
func (m Mapping) Offer(ctx context.Context, log *slog.Logger) error {
	return m.Fitting(ctx, func(last record.Manifest, name string) {
		log.Warn("a ledger of another name fits this mapping; take it over with syncd ledger rename", "from", name, "entries", last.Entries)
	})
}
