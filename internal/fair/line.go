// Package fair queues requests for a scarce resource: slots, memory, a rate.
//
// A [Line] admits requests in the order of their arrival. The members of a [Queue] take turns, one
// request at a time, no matter how many requests each of them has. A request whose context ends
// leaves immediately and gets nothing. If it is admitted at the same moment, the slots or the
// amount that it received are returned, so that nothing is lost.
//
// The users of this package decide how much of the resource exists, and when a request is admitted.
// The package contains one such rule: [Share] limits a number of slots.
//
// Terms: the weight of a request is the amount that it asks for; a member is one of the users that
// share a queue, such as a mapping; a turn is the admission of one request.
package fair

import (
	"context"
	"sync"
)

// Line admits requests first come, first served. Each request has a weight of type W, which the
// owner of the line uses to decide when to admit it. The zero value is an empty line.
//
// A request is in the line from Join until it is either admitted or gives up. The owner's lock
// guards the line and must be held during every call except Wait.
type Line[W any] struct{ first, last *Request[W] }

// Request is a request that has joined a line.
type Request[W any] struct {
	weight        W
	admitted      chan struct{} // closed on admission
	before, after *Request[W]   // its neighbors in the line
}

// IsEmpty reports whether no request waits.
func (l *Line[W]) IsEmpty() bool { return l.first == nil }

// Join adds a request at the end of the line. The caller must then call Wait.
func (l *Line[W]) Join(weight W) *Request[W] {
	r := &Request[W]{weight: weight, admitted: make(chan struct{}), before: l.last}
	if l.last != nil {
		l.last.after = r
	} else {
		l.first = r
	}
	l.last = r
	return r
}

// First returns the weight of the first request. The line must not be empty.
func (l *Line[W]) First() W { return l.first.weight }

// Admit admits the first request and returns its weight. The line must not be empty.
func (l *Line[W]) Admit() W {
	first := l.first
	l.remove(first)
	close(first.admitted)
	return first.weight
}

func (l *Line[W]) remove(r *Request[W]) {
	if r.before != nil {
		r.before.after = r.after
	} else {
		l.first = r.after
	}
	if r.after != nil {
		r.after.before = r.before
	} else {
		l.last = r.before
	}
}

// Wait returns nil when r is admitted. If ctx ends first, Wait takes the owner's lock, removes r,
// calls gaveUp and returns the error of ctx. The argument isLate means that r was admitted in the
// meantime; the owner must then release what r received.
func (l *Line[W]) Wait(ctx context.Context, lock sync.Locker, r *Request[W], gaveUp func(isLate bool)) error {
	select {
	case <-r.admitted:
		return nil
	case <-ctx.Done():
	}
	lock.Lock()
	defer lock.Unlock()
	select {
	case <-r.admitted:
		gaveUp(true)
	default:
		l.remove(r)
		gaveUp(false)
	}
	return ctx.Err()
}
