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

// element is what a sequence yields.
type element[T any] struct {
	value T
	err   error
}

// bundles carries elements from a reader to a loop: one by one while the loop keeps up, and in bundles when it does not, so that only
// what is read ahead takes memory.
type bundles[T any] struct {
	ready chan []element[T]
	next  []element[T]
}

// send returns false when ctx has ended.
func (b *bundles[T]) send(ctx context.Context, e element[T]) bool {
	b.next = append(b.next, e)
	return len(b.ready) == cap(b.ready) && len(b.next) < bundled || b.flush(ctx)
}

func (b *bundles[T]) flush(ctx context.Context) bool {
	if len(b.next) == 0 {
		return true
	}
	select {
	case b.ready <- b.next:
		b.next = nil
		return true
	case <-ctx.Done():
		return false
	}
}

// read sends all that the sequence yields.
func (b *bundles[T]) read(ctx context.Context, sequence func(context.Context) iter.Seq2[T, error]) {
	defer close(b.ready)
	err := guarded(func() error {
		sequence(ctx)(func(value T, err error) bool { return b.send(ctx, element[T]{value, err}) })
		return nil
	})
	if err != nil {
		b.next = append(b.next, element[T]{err: err})
	}
	b.flush(ctx)
}

// readAhead yields what the sequence yields that open returns, reading about n elements ahead in a goroutine that ends
// with the loop, as does the context given to open. When ctx ends it yields no more, not even what it has read.
func readAhead[T any](ctx context.Context, open func(context.Context) iter.Seq2[T, error], n int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		b := bundles[T]{ready: make(chan []element[T], n/bundled)}
		var reader sync.WaitGroup
		defer reader.Wait()
		defer stop()
		reader.Go(func() { b.read(ctx, open) })
		for bundle := range b.ready {
			for _, e := range bundle {
				if ctx.Err() != nil || !yield(e.value, e.err) {
					return
				}
			}
		}
	}
}
