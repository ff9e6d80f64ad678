package syncer

import (
	"context"
	"errors"
	"iter"
	"sync"
	"time"

	"syncd/internal/awserr"
)

// outlive returns a context that ends patience after ctx does, so that what is in hand can be finished; and a func that
// ends it at once and frees what it holds.
func outlive(ctx context.Context, patience time.Duration) (context.Context, context.CancelFunc) {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var mu sync.Mutex
	var timer *time.Timer
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		timer = time.AfterFunc(patience, cancel)
	})
	return patient, func() {
		stop()
		cancel()
		mu.Lock()
		defer mu.Unlock()
		if timer != nil {
			timer.Stop()
		}
	}
}

// firstCause tells why a walk ended: the copy that ended it, or what the reading met, or the drain that ctx asked for.
// What fails because it was canceled for one of these reasons is not the cause.
func firstCause(copying, reading error, ctx context.Context) error { //nolint:revive // ctx is looked at, not passed on
	for _, err := range []error{copying, reading} {
		if err != nil && awserr.Classify(err) != awserr.Canceled {
			return err
		}
	}
	switch {
	case ctx.Err() != nil:
		return ErrDrained
	default:
		return errors.Join(copying, reading)
	}
}

// readAhead yields what seq yields, reading up to n elements ahead in a goroutine that ends with the loop. When ctx ends it
// yields no more, not even what it has read.
func readAhead[T any](ctx context.Context, seq iter.Seq2[T, error], n int) iter.Seq2[T, error] {
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
			for value, err := range seq {
				select {
				case elements <- element{value, err}:
				case <-ctx.Done():
					return
				}
			}
		})
		for e := range elements {
			if ctx.Err() != nil || !yield(e.value, e.err) {
				return
			}
		}
	}
}
