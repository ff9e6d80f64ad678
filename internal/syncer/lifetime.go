package syncer

import (
	"context"
	"errors"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
)

// ErrDrained means that a pass ended early because it was asked to drain. Its settled entries are
// saved.
var ErrDrained = errors.New("pass stopped early (drained); it will resume")

// firstCause returns why a walk ended: the first error that is not a cancellation, or ErrDrained if
// ctx has ended. It skips cancellations and errors from a ledger that had already failed, because
// these are only consequences of the first error.
func firstCause(ctx context.Context, errs ...error) error {
	hasEnded := false
	for _, err := range errs {
		switch {
		case errors.Is(err, checkpoint.ErrPassEnded):
			hasEnded = true
		case err != nil && awserr.Classify(err) != awserr.Canceled:
			return err
		}
	}
	if ctx.Err() != nil && !hasEnded {
		return ErrDrained
	}
	return errors.Join(errs...)
}
