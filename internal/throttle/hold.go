package throttle

import (
	"context"
	"sync"
)

// hold is a place that was taken for the requests of a context. They give it back after an attempt that failed, so that others can be
// sent while they wait to be tried again, and take it again for the next attempt. They must pass a [Guard].
type hold struct {
	outer *hold // of the context that it was made with
	leave func() bool
	enter func(context.Context) error

	mu      sync.Mutex
	hasLeft bool
	ended   bool
}

// holdKey is under which a context has its innermost hold.
type holdKey struct{}

// Slots bounds requests at once.
type Slots interface {
	// Acquire waits for a slot. Its error is that of ctx, and then no slot is taken.
	Acquire(ctx context.Context) error
	Release()
}

// HoldSlot waits for a slot, and returns a context for a request to be sent with it and a func that releases it. While the request
// waits to be tried again, the slot is others'. The error is that of ctx, and then no slot is taken.
func HoldSlot(ctx context.Context, slots Slots) (held context.Context, release func(), err error) {
	if err := slots.Acquire(ctx); err != nil {
		return nil, nil, err
	}
	held, h := holding(ctx, func() bool {
		slots.Release()
		return true
	}, slots.Acquire)
	return held, func() {
		if h.end() {
			slots.Release()
		}
	}, nil
}

// holding returns a context for requests that share a place which is taken: leave gives it back, unless it returns false, and enter
// takes it again.
func holding(ctx context.Context, leave func() bool, enter func(context.Context) error) (context.Context, *hold) {
	h := &hold{leave: leave, enter: enter}
	h.outer = holdOf(ctx)
	return context.WithValue(ctx, holdKey{}, h), h
}

// end ends the hold, and reports whether the place is taken, so that the caller has to give it back.
func (h *hold) end() (isTaken bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	return !h.hasLeft
}

func holdOf(ctx context.Context) *hold {
	h, _ := ctx.Value(holdKey{}).(*hold)
	return h
}

// leaveAll gives back every place that a context holds.
func leaveAll(ctx context.Context) {
	for h := holdOf(ctx); h != nil; h = h.outer {
		h.mu.Lock()
		if !h.hasLeft && !h.ended {
			h.hasLeft = h.leave()
		}
		h.mu.Unlock()
	}
}

// enterAll takes again what was given back. Its error is that of ctx.
func enterAll(ctx context.Context) error {
	for h := holdOf(ctx); h != nil; h = h.outer {
		if !h.enters() {
			continue
		}
		if err := h.enter(ctx); err != nil {
			h.mu.Lock()
			h.hasLeft = true
			h.mu.Unlock()
			return err
		}
	}
	return nil
}

// enters reports whether the place is to be taken again, by the caller: it may wait for it, which others must not do for a lock.
func (h *hold) enters() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	enters := h.hasLeft && !h.ended
	if enters {
		h.hasLeft = false
	}
	return enters
}
