package throttle

import (
	"context"
	"sync"
)

// hold is a place that was taken for the requests of a context. They give it back when all of them
// wait to be tried again, so that others can be sent meanwhile, and take it again for the next
// attempt. They must pass a [Guard].
type hold struct {
	outer *hold // of the context that it was made with
	leave func() bool
	// enter takes the place again. One that waits for it is for one request at a time.
	enter func(context.Context) error
	waits bool

	mu      sync.Mutex
	active  int // attempts on the wire
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

// HoldSlot waits for a slot, and returns a context for a request to be sent with it and a func that
// releases it. While the request waits to be tried again, the slot is others'. The error is that of
// ctx, and then no slot is taken.
func HoldSlot(ctx context.Context, slots Slots) (held context.Context, release func(), err error) {
	if err := slots.Acquire(ctx); err != nil {
		return nil, nil, err
	}
	held, h := holding(ctx, &hold{leave: func() bool {
		slots.Release()
		return true
	}, enter: slots.Acquire, waits: true})
	return held, func() {
		if h.end() {
			slots.Release()
		}
	}, nil
}

// holding returns a context whose requests share h.
func holding(ctx context.Context, h *hold) (context.Context, *hold) {
	h.outer = holdOf(ctx)
	return context.WithValue(ctx, holdKey{}, h), h
}

// end ends the hold, and reports whether the place is taken, so that the caller has to give it
// back.
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

// beginAttempt takes again what a context's holds have given back. Its error is that of ctx.
func beginAttempt(ctx context.Context) error {
	for h := holdOf(ctx); h != nil; h = h.outer {
		if err := h.begin(ctx); err != nil {
			for inner := holdOf(ctx); inner != h; inner = inner.outer {
				inner.done(false)
			}
			return err
		}
	}
	return nil
}

// endAttempt gives back what a context holds, if the attempt will be made again.
func endAttempt(ctx context.Context, isTriedAgain bool) {
	for h := holdOf(ctx); h != nil; h = h.outer {
		h.done(isTriedAgain)
	}
}

func (h *hold) begin(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hasLeft && !h.ended {
		if h.waits {
			h.mu.Unlock()
			err := h.enter(ctx)
			h.mu.Lock()
			if err != nil {
				return err
			}
		} else if err := h.enter(ctx); err != nil {
			return err
		}
		h.hasLeft = false
	}
	h.active++
	return nil
}

func (h *hold) done(isTriedAgain bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.active--
	if isTriedAgain && h.active == 0 && !h.hasLeft && !h.ended {
		h.hasLeft = h.leave()
	}
}
