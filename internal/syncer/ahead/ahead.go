// Package ahead reads a sequence ahead of the loop that consumes it.
//
// It guarantees that elements are yielded in order, that no more than the allowed number are read
// ahead, and that the goroutine that reads has ended when the loop has ended. The allowed number may
// change while the sequence is read. Unlike a channel, the buffer only uses memory for the elements
// that it holds.
//
// The caller turns panics of the sequence into errors.
package ahead

import (
	"context"
	"iter"
	"sync"
)

// element is a value or an error that a sequence has yielded.
type element[T any] struct {
	value T
	err   error
}

// buffer has the elements that are read ahead.
type buffer[T any] struct {
	most        func() int
	ready, room chan struct{} // signals: an element, or space for one, may be available

	mu     sync.Mutex
	next   []element[T]
	isOver bool // no more elements follow
}

func newBuffer[T any](most func() int) *buffer[T] {
	return &buffer[T]{most: most, ready: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// put adds an element, waiting for space. It returns false when ctx has ended.
func (a *buffer[T]) put(ctx context.Context, e element[T]) bool {
	for ctx.Err() == nil {
		a.mu.Lock()
		hasRoom := len(a.next) < max(1, a.most())
		if hasRoom {
			a.next = append(a.next, e)
		}
		a.mu.Unlock()
		if hasRoom {
			signal(a.ready)
			return true
		}
		select {
		case <-a.room:
		case <-ctx.Done():
		}
	}
	return false
}

// end marks the end of the sequence.
func (a *buffer[T]) end() {
	a.mu.Lock()
	a.isOver = true
	a.mu.Unlock()
	signal(a.ready)
}

// take waits for elements and returns all that are available, or none if the sequence has ended.
// The parameter before is a slice that an earlier call returned; take reuses its memory.
func (a *buffer[T]) take(before []element[T]) []element[T] {
	clear(before)
	for {
		a.mu.Lock()
		taken, isOver := a.next, a.isOver
		if len(taken) > 0 {
			a.next = before[:0]
		}
		a.mu.Unlock()
		if len(taken) > 0 {
			signal(a.room)
			return taken
		}
		if isOver {
			return nil
		}
		<-a.ready
	}
}

func signal(to chan struct{}) {
	select {
	case to <- struct{}{}:
	default:
	}
}

// read puts every element of the sequence into the buffer.
func (a *buffer[T]) read(ctx context.Context, sequence func(context.Context) iter.Seq2[T, error], guard func(func() error) error) {
	defer a.end()
	err := guard(func() error {
		sequence(ctx)(func(value T, err error) bool { return a.put(ctx, element[T]{value, err}) })
		return nil
	})
	if err != nil {
		a.put(ctx, element[T]{err: err})
	}
}

// Read yields the elements of the sequence returned by open. It reads up to n() elements ahead in a
// goroutine. When the caller's loop ends, the goroutine ends and the context passed to open is
// canceled. When ctx ends, Read yields no more elements, not even those already read. The sequence
// is read in a call of guard, which calls its argument and returns a panic as an error; Read yields
// that error.
func Read[T any](
	ctx context.Context, open func(context.Context) iter.Seq2[T, error], n func() int, guard func(func() error) error,
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		a := newBuffer[T](func() int { return n() / 2 }) // the loop below has up to n/2 more, taken but not yet yielded
		var reader sync.WaitGroup
		defer reader.Wait()
		defer stop()
		reader.Go(func() { a.read(ctx, open, guard) })
		for taken := a.take(nil); len(taken) > 0; taken = a.take(taken) {
			for _, e := range taken {
				if ctx.Err() != nil || !yield(e.value, e.err) {
					return
				}
			}
		}
	}
}
