package throttle

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

// setLimit changes the limit, as a round does at its end.
func (l *Level) setLimit(n int) {
	l.limit.Store(int64(n))
	for _, g := range l.gates {
		g.follow()
	}
}

// crowd is a gate with its waiting callers and its admitted callers, in order.
type crowd struct {
	level    *Level
	gate     *Gate
	mu       sync.Mutex
	waiting  []*guest
	admitted []*guest
	comers   sync.WaitGroup
}

type guest struct {
	leave context.CancelFunc
	err   error
	done  bool
}

func newCrowd(limit int) *crowd {
	level := NewLevel(LevelOptions{Min: limit, Max: limit})
	return &crowd{level: level, gate: level.Gate()}
}

// come adds a caller and waits until the gate has decided.
func (c *crowd) come(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	g := &guest{leave: cancel}
	c.waiting = append(c.waiting, g)
	c.comers.Go(func() {
		err := c.gate.Acquire(ctx)
		c.mu.Lock()
		defer c.mu.Unlock()
		g.err, g.done = err, true
		if err == nil {
			c.admitted = append(c.admitted, g)
		}
	})
	synctest.Wait()
}

// model is the expected state of a gate: callers are admitted in order, up to the limit.
type model struct {
	limit   int
	inside  int
	waiting []*guest
}

func (m *model) admit() {
	for len(m.waiting) > 0 && m.inside < m.limit {
		m.inside++
		m.waiting = m.waiting[1:]
	}
}

// TestGateAsAModel compares a gate with a model while callers come, go and give up, and the limit
// changes, at random.
func TestGateAsAModel(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		steps := rapid.SliceOfN(rapid.IntRange(0, 99), 1, 60).Draw(r, "steps")
		synctest.Test(t, func(t *testing.T) {
			c, m := newCrowd(2), &model{limit: 2}
			for i, n := range steps {
				c.step(t, m, n)
				if got := c.stillWaiting(); c.gate.InUse() != m.inside || !slices.Equal(got, m.waiting) {
					r.Fatalf("step %d: got %d in use and %d waiting, want %d and %d in their order", i, c.gate.InUse(), len(got), m.inside, len(m.waiting))
				}
			}
			for _, g := range c.stillWaiting() {
				g.leave()
			}
			c.comers.Wait()
			for range m.inside {
				c.gate.Release()
			}
			for _, g := range c.waiting {
				g.leave()
			}
		})
	})
}

// step applies one random step to the gate and to the model.
func (c *crowd) step(t *testing.T, m *model, n int) {
	t.Helper()
	switch n % 4 {
	case 0:
		c.come(t.Context())
		m.waiting = append(m.waiting, c.waiting[len(c.waiting)-1])
	case 1:
		if m.inside > 0 {
			c.gate.Release()
			m.inside--
		}
	case 2:
		if len(m.waiting) > 0 {
			i := n / 4 % len(m.waiting)
			m.waiting[i].leave()
			m.waiting = slices.Delete(slices.Clone(m.waiting), i, i+1)
		}
	case 3:
		m.limit = n/4%6 + 1
		c.level.setLimit(m.limit)
	}
	m.admit()
	synctest.Wait()
}

func (c *crowd) stillWaiting() (waiting []*guest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, g := range c.waiting {
		if !g.done {
			waiting = append(waiting, g)
		}
	}
	return waiting
}

func TestGateIsFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(1)
		for range 20 {
			c.come(t.Context())
		}
		for range 20 {
			c.gate.Release()
			synctest.Wait()
		}
		if !slices.Equal(c.admitted, c.waiting) {
			t.Error("got another order than the order of arrival")
		}
		for _, g := range c.waiting {
			g.leave()
		}
	})
}

// TestGateShrinksBelowWhatIsInUse checks that a lower limit takes no slots away, and that no caller
// is admitted before there is room.
func TestGateShrinksBelowWhatIsInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(4)
		for range 6 {
			c.come(t.Context())
		}
		c.level.setLimit(2)
		for i, want := range []int{3, 2, 2, 2, 1, 0} {
			c.gate.Release()
			if got := c.gate.InUse(); got != want {
				t.Errorf("got %d in use after %d releases, want %d", got, i+1, want)
			}
		}
		c.comers.Wait()
		for _, g := range c.waiting {
			g.leave()
		}
	})
}

// TestGateTakesBackALateSlot checks that no slot is lost if it is granted at the moment at which
// its caller gives up.
func TestGateTakesBackALateSlot(t *testing.T) {
	for range 200 {
		gate := newCrowd(1).gate
		if err := gate.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var waiter sync.WaitGroup
		waiter.Go(func() {
			if gate.Acquire(ctx) == nil {
				gate.Release()
			}
		})
		waiter.Go(cancel)
		waiter.Go(gate.Release)
		waiter.Wait()
		if got := gate.InUse(); got != 0 {
			t.Fatalf("got %d slots lost, want none", got)
		}
	}
}

func TestGateWithAnEndedContext(t *testing.T) {
	gate := newCrowd(1).gate
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := gate.Acquire(ctx); err == nil || gate.InUse() != 0 {
		t.Errorf("got %v with %d in use, want an error and none", err, gate.InUse())
	}
}

func TestReleaseWithoutAcquirePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("got no panic")
		}
	}()
	newCrowd(1).gate.Release()
}
