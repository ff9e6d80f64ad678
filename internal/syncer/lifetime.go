package syncer

import (
	"context"
	"errors"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
)

// ErrDrained says that a pass ended early because it was asked to drain; what it had settled is
// saved.
var ErrDrained = errors.New("pass was drained before its end")

// outlive returns a context that ends patience after ctx does, so that what is in hand can be
// finished; and a func that ends it at once and frees what it holds.
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

// firstCause returns why a walk ended: the first of the errors that is not a cancellation, or the
// drain that ctx asked for. What fails because it was canceled for one of these reasons is not the
// cause, nor is what the ledger refuses once it has failed.
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
