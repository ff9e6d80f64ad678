package throttle

import (
	"context"
	"sync"

	"syncd/internal/fair"
)

// Gate admits callers in order of arrival, at most as many at once as its [Level] allows. Use
// [Level.Gate] to create one.
type Gate struct {
	level *Level

	mu    sync.Mutex
	line  fair.Line[struct{}]
	inUse int
	left  int
}

// Acquire waits for a slot. If ctx ends first, it returns ctx's error and takes no slot.
func (g *Gate) Acquire(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	if g.line.IsEmpty() && g.inUse < g.level.Limit() {
		g.inUse++
		g.mu.Unlock()
		return nil
	}
	g.level.crowded.Store(true)
	place := g.line.Join(struct{}{})
	g.mu.Unlock()
	return g.line.Wait(ctx, &g.mu, place, func(isLate bool) {
		if isLate {
			g.release()
		}
	})
}

// Release releases a slot. It panics if no slot is taken, which is a bug.
func (g *Gate) Release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.release()
}

// maxLeft limits how many slots of a gate can be given up at the same time, because their requests
// wait for a retry. It is a multiple of the gate's limit.
const maxLeft = 2

// Hold returns a context for work with a slot that was acquired, and a function that releases the
// slot. While the requests of the work wait for a retry, other callers can use the slot.
func (g *Gate) Hold(ctx context.Context) (held context.Context, release func()) {
	held, h := holding(ctx, &hold{leave: g.leave, enter: func(context.Context) error {
		g.enter()
		return nil
	}})
	return held, func() {
		if !h.end() {
			g.enter()
		}
		g.Release()
	}
}

// leave gives up a slot temporarily, unless too many are given up already, and reports whether it
// did.
func (g *Gate) leave() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.left >= maxLeft*g.level.Limit() {
		g.level.crowded.Store(true)
		return false
	}
	g.left++
	g.release()
	return true
}

// enter takes back a slot that was given up. It does so at once, even above the limit, because the
// caller has already waited for it.
func (g *Gate) enter() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left--
	g.inUse++
}

// InUse returns how many slots are taken. It can exceed the limit for a while after the level
// falls.
func (g *Gate) InUse() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.inUse
}

func (g *Gate) release() {
	if g.inUse == 0 {
		panic("BUG: released a slot that was not acquired")
	}
	g.inUse--
	g.admit()
}

// follow admits waiting callers after the limit has changed.
func (g *Gate) follow() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.admit()
}

func (g *Gate) admit() {
	for !g.line.IsEmpty() && g.inUse < g.level.Limit() {
		g.line.Admit()
		g.inUse++
	}
}
