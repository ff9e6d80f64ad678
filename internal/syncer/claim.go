package syncer

import (
	"context"
	"sync"
)

// claimAhead is the distance from the end of the claimed range, in actions, at which the next claim
// is started. At this distance, the claim is usually complete before a copy needs it.
const claimAhead = planAhead / 2

// claims claims keys before they are copied. Each claim covers all keys that are planned so far, so
// that one claim serves thousands of keys.
type claims struct {
	save func(ctx context.Context, until string) error // claims the keys up to until, "" for all keys

	mu       sync.Mutex
	planned  horizon
	claimed  horizon
	err      error // error of a claim in the background
	ahead    bool  // a claim is being made in the background
	inFlight sync.WaitGroup
}

// horizon is a position in the plan.
type horizon struct {
	key     string
	actions int
	all     bool // whether the position is the end of the plan
}

// plan records that the plan has reached the key; "" means the end of the plan.
func (c *claims) plan(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if key == "" {
		c.planned.all = true
		return
	}
	c.planned.key = key
	c.planned.actions++
}

// ensure returns once the key of the n-th action of the plan is claimed.
func (c *claims) ensure(ctx context.Context, key string, n int) error {
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return c.err
	}
	isClaimed := c.claimed.all || key <= c.claimed.key
	isShort := !c.claimed.all && !c.ahead && n+claimAhead > c.claimed.actions && (c.planned.all || c.planned.actions > c.claimed.actions)
	if isClaimed && isShort {
		c.ahead = true
		c.inFlight.Go(func() { c.extendAhead(ctx) })
	}
	c.mu.Unlock()
	if isClaimed {
		return nil
	}
	return c.extend(ctx)
}

func (c *claims) extendAhead(ctx context.Context) {
	err := guarded(func() error { return c.extend(ctx) })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead = false
	if c.err == nil {
		c.err = err
	}
}

// extend claims the keys that are planned so far.
func (c *claims) extend(ctx context.Context) error {
	c.mu.Lock()
	to := c.planned
	c.mu.Unlock()
	until := to.key
	if to.all {
		until = ""
	}
	if err := c.save(ctx, until); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if to.actions >= c.claimed.actions {
		c.claimed = to
	}
	return nil
}

// wait waits until no claim is being made, and returns the first error of a claim in the
// background.
func (c *claims) wait() error {
	c.inFlight.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
