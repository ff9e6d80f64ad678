package throttle

import (
	"context"
	"sync"
)

// hold is a slot taken for the requests of a context. While all of these requests wait for a retry,
// the slot is given up, so that other requests can be sent in the meantime. It is taken back for
// the next attempt. The requests must be sent through a [Guard].
type hold struct {
	outer *hold // hold of the parent context
	leave func() bool
	// enter takes back the slot. If waits is true, enter can block, and only one request at a time
	// may use the hold.
	enter func(context.Context) error
	waits bool

	mu      sync.Mutex
	active  int // number of attempts in flight
	hasLeft bool
	ended   bool
}

// holdKey is the context key of the innermost hold.
type holdKey struct{}

// Slots bounds concurrent requests.
type Slots interface {
	// Acquire waits for a slot. If ctx ends first, it returns ctx's error and takes no slot.
	Acquire(ctx context.Context) error
	Release()
}

// HoldSlot acquires a slot. It returns a context for one request with the slot, and a function that
// releases it. While the request waits for a retry, other requests can use the slot. If ctx ends
// first, HoldSlot returns ctx's error and takes no slot.
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

// end ends the hold. It reports whether the slot is taken, so that the caller must release it.
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

// beginAttempt takes back the slots that a context's holds have given up. If ctx ends first, it
// returns ctx's error.
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

// endAttempt gives up the slots of a context's holds if the attempt will be retried.
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
