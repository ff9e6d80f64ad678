package syncer

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
)

// outlive returns a context that ends patience after ctx does, so that what is in hand can be finished; and a func that
// ends it at once and frees what it holds.
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

// firstCause tells why a walk ended: the first of the errors that is one, or the drain that ctx asked for. What fails
// because it was canceled for one of these reasons is not the cause, nor is what the ledger refuses once it has failed.
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

// readAhead yields what the sequence yields that open returns, reading up to n elements ahead in a goroutine that ends
// with the loop, as does the context given to open. When ctx ends it yields no more, not even what it has read.
func readAhead[T any](ctx context.Context, open func(context.Context) iter.Seq2[T, error], n int) iter.Seq2[T, error] {
	type element struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		elements := make(chan element, n)
		var reader sync.WaitGroup
		defer reader.Wait()
		defer stop()
		reader.Go(func() {
			defer close(elements)
			send := func(e element) bool {
				select {
				case elements <- e:
					return true
				case <-ctx.Done():
					return false
				}
			}
			err := guarded(func() error {
				open(ctx)(func(value T, err error) bool { return send(element{value, err}) })
				return nil
			})
			if err != nil {
				send(element{err: err})
			}
		})
		for e := range elements {
			if ctx.Err() != nil || !yield(e.value, e.err) {
				return
			}
		}
	}
}
