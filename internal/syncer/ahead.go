package syncer

import (
	"context"
	"iter"
	"sync"
)

// planAhead is how many actions the plan may be ahead of the copies, so that these need not wait
// for a page of the listing; it bounds the memory for them.
const planAhead = 8192

// element is what a sequence yields.
type element[T any] struct {
	value T
	err   error
}

// ahead holds the elements that are read ahead. Unlike a channel it takes memory for those that are
// there only.
type ahead[T any] struct {
	most        int
	ready, room chan struct{} // hold a value when there may be an element, or room for one

	mu     sync.Mutex
	next   []element[T]
	isOver bool // no more follow
}

func newAhead[T any](most int) *ahead[T] {
	return &ahead[T]{most: most, ready: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// put waits for room. It returns false when ctx has ended.
func (a *ahead[T]) put(ctx context.Context, e element[T]) bool {
	for ctx.Err() == nil {
		a.mu.Lock()
		hasRoom := len(a.next) < a.most
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

// end says that no more elements follow.
func (a *ahead[T]) end() {
	a.mu.Lock()
	a.isOver = true
	a.mu.Unlock()
	signal(a.ready)
}

// take waits for elements and returns all that are there, in place of those that it returned
// before; none when no more follow.
func (a *ahead[T]) take(before []element[T]) []element[T] {
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

// read puts all that the sequence yields.
func (a *ahead[T]) read(ctx context.Context, sequence func(context.Context) iter.Seq2[T, error]) {
	defer a.end()
	err := guarded(func() error {
		sequence(ctx)(func(value T, err error) bool { return a.put(ctx, element[T]{value, err}) })
		return nil
	})
	if err != nil {
		a.put(ctx, element[T]{err: err})
	}
}

// readAhead yields what the sequence yields that open returns, reading up to n elements ahead in a
// goroutine that ends with the loop, as does the context given to open. When ctx ends it yields no
// more, not even what it has read.
func readAhead[T any](ctx context.Context, open func(context.Context) iter.Seq2[T, error], n int) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		a := newAhead[T](n / 2) // as many may be taken and not yet yielded
		var reader sync.WaitGroup
		defer reader.Wait()
		defer stop()
		reader.Go(func() { a.read(ctx, open) })
		for taken := a.take(nil); len(taken) > 0; taken = a.take(taken) {
			for _, e := range taken {
				if ctx.Err() != nil || !yield(e.value, e.err) {
					return
				}
			}
		}
	}
}
