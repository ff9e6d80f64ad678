// Package fair queues requests for what is scarce: slots, memory, a rate.
//
// It promises that a [Line] admits requests in the order they came; that the members of a [Queue]
// take turns, one request at a time, however many requests each of them has; that a request whose
// context ends leaves at once and takes nothing; and that an admission which comes too late for its
// request is given back, so that none is lost.
//
// It leaves to its users how much there is and when there is room for a request, as the level of a
// gate or the rate of a pacer. It has one such rule itself: [Share] is a number of slots.
//
// The words: the weight of a request is how much it asks for; a member is one of those that share a
// queue, such as a mapping; a turn is the admission of one request.
package fair

import (
	"context"
	"sync"
)

// Line admits requests first come, first served. Each has a weight of type W, by which the owner of
// the line decides when to admit it. The zero value is an empty line.
//
// A request is in the line from Join until it is admitted or gives up, and exactly one of the two
// happens to it. The owner's lock guards the line and must be held at every call except Wait.
type Line[W any] struct{ first, last *Request[W] }

// Request is one that has joined a line.
type Request[W any] struct {
	weight        W
	admitted      chan struct{} // closed when it may go
	before, after *Request[W]   // its neighbours in the line
}

// IsEmpty reports whether no request waits.
func (l *Line[W]) IsEmpty() bool { return l.first == nil }

// Join adds a request at the end, which must then be waited for.
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

// Admit lets the first request go and returns its weight. The line must not be empty.
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

// Wait returns when r is admitted. When ctx ends first, the request gives up: Wait takes the
// owner's lock, removes it and calls gaveUp. If isLate, it had been admitted meanwhile, and the
// owner must take back what it gave. The error is that of ctx.
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
