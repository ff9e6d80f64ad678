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

// bundled is how many elements that are read ahead go together at most.
const bundled = 128

// readAhead yields what the sequence yields that open returns, reading up to n elements ahead in a goroutine that ends
// with the loop, as does the context given to open. When ctx ends it yields no more, not even what it has read.
func readAhead[T any](ctx context.Context, open func(context.Context) iter.Seq2[T, error], n int) iter.Seq2[T, error] {
	type element struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		// Elements go one by one while the loop keeps up, and in bundles when it does not, so that only what is read ahead takes memory.
		bundles := make(chan []element, n/bundled)
		var reader sync.WaitGroup
		defer reader.Wait()
		defer stop()
		reader.Go(func() {
			defer close(bundles)
			var bundle []element
			flush := func() bool {
				select {
				case bundles <- bundle:
					bundle = nil
					return true
				case <-ctx.Done():
					return false
				}
			}
			send := func(e element) bool {
				bundle = append(bundle, e)
				return len(bundles) == cap(bundles) && len(bundle) < bundled || flush()
			}
			err := guarded(func() error {
				open(ctx)(func(value T, err error) bool { return send(element{value, err}) })
				return nil
			})
			if err != nil {
				bundle = append(bundle, element{err: err})
			}
			if len(bundle) > 0 {
				flush()
			}
		})
		for bundle := range bundles {
			for _, e := range bundle {
				if ctx.Err() != nil || !yield(e.value, e.err) {
					return
				}
			}
		}
	}
}
