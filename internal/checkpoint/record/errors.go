package record

import "errors"

var (
	// ErrNoCheckpoint reports that a mapping has no committed generation yet.
	ErrNoCheckpoint = errors.New("no checkpoint")

	// ErrNothingWhole reports that a mapping has generations and each of them is
	// damaged. See checkpoint.Options.StartOver.
	ErrNothingWhole = errors.New("no generation is whole")
)
