package record

import "errors"

var (
	// ErrNoCheckpoint reports that a mapping has no committed generation yet.
	ErrNoCheckpoint = errors.New("no ledger found")

	// ErrNothingWhole reports that every generation of a mapping is damaged. See
	// checkpoint.Options.StartOver.
	ErrNothingWhole = errors.New("all generations of the ledger are damaged")
)

// HasNoLedger reports whether err means that the mapping has no ledger. It returns false if the
// mapping has a ledger whose generations are all damaged.
func HasNoLedger(err error) bool {
	return errors.Is(err, ErrNoCheckpoint) && !errors.Is(err, ErrNothingWhole)
}
