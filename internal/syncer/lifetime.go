package syncer

import (
	"context"
	"errors"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
)

// ErrDrained means that a pass ended early because it was asked to drain. Its settled entries are
// saved.
var ErrDrained = errors.New("pass stopped early (drained); it will resume")

// outlive returns a context that ends patience after ctx ends, so that work in progress can be
// finished. The returned func ends the context at once and releases its resources.
func outlive(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		select {
		case <-time.After(patience):
			cancel()
		case <-patient.Done():
		}
	})
	return patient, func() {
		stop()
		cancel()
	}
}

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
