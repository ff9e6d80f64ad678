package record

import "errors"

var (
	// ErrNoCheckpoint reports that a mapping has no committed generation yet.
	ErrNoCheckpoint = errors.New("no checkpoint")

	// ErrNothingWhole reports that every generation of a mapping is damaged. See
	// checkpoint.Options.StartOver.
	ErrNothingWhole = errors.New("no generation is whole")
)

// HasNoLedger reports whether err means that the mapping has no ledger at all, rather than a ledger
// whose generations are all damaged.
func HasNoLedger(err error) bool {
	return errors.Is(err, ErrNoCheckpoint) && !errors.Is(err, ErrNothingWhole)
}
