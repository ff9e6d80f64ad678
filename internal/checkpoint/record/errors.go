package record

import "errors"

var (
	// ErrNoCheckpoint reports that a mapping has no committed generation yet.
	ErrNoCheckpoint = errors.New("no checkpoint")

	// ErrNothingWhole reports that a mapping has generations and each of them is damaged. See
	// checkpoint.Options.StartOver.
	ErrNothingWhole = errors.New("no generation is whole")
)

// HasNoLedger reports whether err is that a mapping has no ledger at all, and not that nothing of
// its ledger is whole.
func HasNoLedger(err error) bool {
	return errors.Is(err, ErrNoCheckpoint) && !errors.Is(err, ErrNothingWhole)
}
