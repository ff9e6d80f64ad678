package provenance

import (
	"context"
	"log/slog"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// Mapping contains the current settings of a mapping and the store of its ledger.
type Mapping struct {
	// Name is the mapping's name.
	Name string
	// Settings are the current settings.
	Settings Settings
	// Store has the ledgers of all mappings.
	Store store.Store
}

// Fitting calls found for each ledger under another name whose copies are between the mapping's
// source and destination. It ignores ledgers that cannot be read.
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

// Offer looks for a ledger under another name whose copies are between the mapping's source and
// destination. For each such ledger it logs how to take it over. Offer is called for a mapping
// without a ledger.
func (m Mapping) Offer(ctx context.Context, log *slog.Logger) error {
	return m.Fitting(ctx, func(last record.Manifest, name string) {
		log.Warn("a ledger of another name matches this mapping; to use it, run syncd ledger rename", "from", name, "entries", last.Entries)
	})
}
