package throttle

import (
	"container/list"
	"context"
	"sync"
)

// line is where requests wait, first come, first served. The lock of its owner guards it.
type line struct{ waiting list.List }

// waiter is one request in a line.
type waiter struct {
	weight   float64
	admitted chan struct{} // closed when it may go
}

func (l *line) empty() bool { return l.waiting.Len() == 0 }

// join puts a request at the end.
func (l *line) join(weight float64) *list.Element {
	return l.waiting.PushBack(&waiter{weight: weight, admitted: make(chan struct{})})
}

// admit lets the first one go and returns its weight.
func (l *line) admit() float64 {
	first := l.waiting.Remove(l.waiting.Front()).(*waiter)
	close(first.admitted)
	return first.weight
}

// wait returns when the request at place is admitted. When ctx ends first, it leaves the line under the owner's lock; an
// admission that came too late is given back, so that none is lost.
func (l *line) wait(ctx context.Context, lock sync.Locker, place *list.Element, giveBack func()) error {
	w := place.Value.(*waiter)
	select {
	case <-w.admitted:
		return nil
	case <-ctx.Done():
	}
	lock.Lock()
	defer lock.Unlock()
	select {
	case <-w.admitted:
		giveBack()
	default:
		l.waiting.Remove(place)
	}
	return ctx.Err()
}
