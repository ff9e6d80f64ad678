package throttle

import (
	"context"
	"sync"

	"syncd/internal/fair"
)

// Gate lets as many through at once as its [Level] says, in the order they came. It is made by
// [Level.Gate].
type Gate struct {
	level *Level

	mu    sync.Mutex
	line  fair.Line[struct{}]
	inUse int
	left  int
}

// Acquire waits for a slot. Its error is that of ctx, and then no slot is taken.
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

// Release gives a slot back. Releasing one that is not taken is a bug, and panics.
func (g *Gate) Release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.release()
}

// maxLeft is how many slots of a gate may be left at once, as a multiple of its limit: it bounds
// what waits to be tried again.
const maxLeft = 2

// Hold returns a context for what is done with a slot that is taken, and a func that releases it.
// While its requests wait to be tried again, the slot is others'.
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

// leave gives a slot back for a while, unless too many are left already, and reports whether it
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

// enter takes a slot that was left, at once, though there may be none: it has waited in the line
// before.
func (g *Gate) enter() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left--
	g.inUse++
}

// InUse returns how many slots are taken. It exceeds the limit for a while after the level has
// fallen.
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

// follow admits those for whom a new limit has room.
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
