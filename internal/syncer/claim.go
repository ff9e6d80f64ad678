package syncer

import (
	"context"
	"sync"
)

// claimAhead is how many planned actions ahead of the copies a claim is renewed, so that these need
// not wait for it.
const claimAhead = planAhead / 2

// claims has keys claimed before they are copied: as far ahead as is planned by then, so that there
// is one claim for thousands of keys.
type claims struct {
	save func(ctx context.Context, until string) error // makes the keys up to until claimed, "" for all

	mu       sync.Mutex
	planned  horizon
	claimed  horizon
	err      error // of an extension ahead
	ahead    bool  // one is being made
	inFlight sync.WaitGroup
}

// horizon is how far something has come.
type horizon struct {
	key     string
	actions int
	all     bool // to the last key
}

// plan notes that the plan has come to the key, or to its end for "".
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

// ensure returns once the key of an action is claimed, the n-th of the plan.
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

// extend claims what is planned by now.
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

// wait returns when no claim is being made, with the error of one that could not be.
func (c *claims) wait() error {
	c.inFlight.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
