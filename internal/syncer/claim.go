package syncer

import (
	"context"
	"slices"
	"sync"

	"syncd/internal/checkpoint/record"
	"syncd/internal/plan"
	"syncd/internal/syncer/planner"
)

// claimAhead is the distance from the end of the claimed keys, in actions of all parts, at which
// the next claim is started. At this distance, the claim is usually complete before a copy needs
// it.
const claimAhead = planAhead / 2

// claims claims keys before they are copied. Each claim covers all keys of all parts that are
// planned so far, so that one claim serves thousands of keys.
type claims struct {
	// save claims ranges of keys durably, of which the keys copies may be written.
	save func(ctx context.Context, keys []record.Range, copies []string) error
	// walk is the context of claims that are made in the background. They cover the keys of all
	// parts, so they must not end with the part that needs more keys.
	walk context.Context //nolint:containedctx // set once, before the first part begins

	mu       sync.Mutex
	copies   []string // keys to copy that are planned and not claimed
	parts    []*partClaims
	err      error // error of a claim in the background
	ahead    bool  // a claim is being made in the background
	inFlight sync.WaitGroup
}

// partClaims are the claims on the keys of one part of the plan.
type partClaims struct {
	in       *claims
	part     planner.Part
	planned  horizon
	claimed  horizon
	reserved int // number of actions reserved; only used by the walk of the part
}

// horizon is a position in the plan of a part: the keys up to key are planned or claimed. If isEnd
// is true, the position is the end of the part.
type horizon struct {
	key     string
	actions int
	isEnd   bool
}

// begin begins the claims on the keys of a part.
func (c *claims) begin(part planner.Part) *partClaims {
	p := &partClaims{in: c, part: part, claimed: horizon{key: part.Range().After}}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.parts = append(c.parts, p)
	return p
}

// end ends the claims on the keys of a part.
func (p *partClaims) end() {
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	p.in.parts = slices.DeleteFunc(p.in.parts, func(o *partClaims) bool { return o == p })
}

// plan records that the plan has reached an action.
func (p *partClaims) plan(a plan.Action) {
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	p.planned.key = a.Object.Key
	p.planned.actions++
	if a.Kind == plan.Copy {
		p.in.copies = append(p.in.copies, a.Object.Key)
	}
}

// planAll records that the plan has reached the end of the part.
func (p *partClaims) planAll() {
	p.in.mu.Lock()
	defer p.in.mu.Unlock()
	p.planned.isEnd = true
}

// reserve records that the next action of the part is reserved.
func (p *partClaims) reserve() { p.reserved++ }

// ensure returns once a key, which is the key of the action reserved last, is claimed.
func (p *partClaims) ensure(ctx context.Context, key string) error {
	c := p.in
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return c.err
	}
	isClaimed := p.claimed.isEnd || key <= p.claimed.key
	isShort := p.reserved+claimAhead/len(c.parts) > p.claimed.actions && p.canExtend()
	if isClaimed && isShort && !c.ahead {
		c.ahead = true
		c.inFlight.Go(c.extendAhead)
	}
	c.mu.Unlock()
	if isClaimed {
		return nil
	}
	return c.extend(ctx)
}

// canExtend reports whether keys are planned that are not claimed. The caller holds c.mu.
func (p *partClaims) canExtend() bool {
	return !p.claimed.isEnd && (p.planned.isEnd || p.planned.actions > p.claimed.actions)
}

func (c *claims) extendAhead() {
	err := guarded(func() error { return c.extend(c.walk) })
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead = false
	if c.err == nil {
		c.err = err
	}
}

// extend claims the keys of all parts that are planned so far.
func (c *claims) extend(ctx context.Context) error {
	c.mu.Lock()
	var keys []record.Range
	reached := map[*partClaims]horizon{}
	for _, p := range c.parts {
		if !p.canExtend() {
			continue
		}
		until := p.planned.key
		if p.planned.isEnd {
			until = p.part.Range().Until
		}
		keys = append(keys, record.Range{After: p.claimed.key, Until: until})
		reached[p] = p.planned
	}
	copies := slices.Clone(c.copies)
	c.mu.Unlock()
	if err := c.save(ctx, keys, copies); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.copies = slices.DeleteFunc(c.copies, func(key string) bool {
		return slices.ContainsFunc(keys, func(r record.Range) bool { return r.Contains(key) })
	})
	for p, to := range reached {
		if to.actions >= p.claimed.actions {
			p.claimed = to
		}
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
