package syncer

import (
	"context"
	"strings"
	"sync"

	"syncd/internal/checkpoint"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// claimed returns what claims say of a source key: what was claimed under other settings is found by the key at the
// destination. It returns nil where no claim is on this mapping's place.
func (o *Options) claimed(claims []checkpoint.Claim) func(key string) plan.Claimed {
	s := o.Settings
	type claim struct {
		checkpoint.Claim
		by Settings
	}
	var here []claim
	for _, c := range claims {
		id, ok := o.identify(c.Fingerprint)
		if ok && id.Destination.Endpoint == s.Destination.Endpoint && id.Destination.Bucket == s.Destination.Bucket {
			here = append(here, claim{c, id.Settings})
		}
	}
	if len(here) == 0 {
		return nil
	}
	return func(key string) (all plan.Claimed) {
		at := s.Destination.Prefix + strings.TrimPrefix(key, s.Source.Prefix)
		for _, c := range here {
			inside, ok := strings.CutPrefix(at, c.by.Destination.Prefix)
			if !ok || !c.Covers(c.by.Source.Prefix+inside) {
				continue
			}
			if all.Since.IsZero() || c.Since.Before(all.Since) {
				all.Since = c.Since
			}
			if c.by.KeyARN != s.KeyARN {
				all.OtherKeys = append(all.OtherKeys, c.by.KeyARN)
			}
		}
		return all
	}
}

// claimedRange returns where in the destination the keys are that claims are on.
func (o *Options) claimedRange(claims []checkpoint.Claim) (all listing.Range) {
	s := o.Settings
	isFirst := true
	for _, c := range claims {
		id, ok := identify(c.Fingerprint)
		if !ok || id.Destination.Endpoint != s.Destination.Endpoint || id.Destination.Bucket != s.Destination.Bucket {
			continue
		}
		at := func(key string) string {
			if key == "" {
				return ""
			}
			return id.Destination.Prefix + strings.TrimPrefix(key, id.Source.Prefix)
		}
		after, until := at(c.After), at(c.Until)
		if isFirst {
			all, isFirst = listing.Range{After: after, Until: until}, false
			continue
		}
		all.After = min(all.After, after)
		if until == "" || all.Until != "" && until > all.Until {
			all.Until = until
		}
	}
	return all
}

// sourceKey returns the key at the source that is copied to a key at the destination, "" for none.
func (s Settings) sourceKey(key string) string {
	inside, ok := strings.CutPrefix(key, s.Destination.Prefix)
	if !ok {
		return ""
	}
	return s.Source.Prefix + inside
}

// settles reports whether a complete pass under the settings has settled all that a claim is on.
func (o *Options) settles(c checkpoint.Claim) bool {
	s := o.Settings
	id, ok := identify(c.Fingerprint)
	return ok && id.Destination.Endpoint == s.Destination.Endpoint && id.Destination.Bucket == s.Destination.Bucket &&
		strings.HasPrefix(id.Destination.Prefix, s.Destination.Prefix)
}

// claimAhead is how many planned actions ahead of the copies a claim is renewed, so that these need not wait for it.
const claimAhead = planAhead / 2

// claims has keys claimed before they are copied: as far ahead as is planned by then, so that there is one claim for
// thousands of keys.
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

// claim makes the keys up to until claimed, before they are copied.
func (p *pass) claim(ctx context.Context, until string) error {
	patient, giveUp := outlive(ctx, p.saveTime())
	defer giveUp()
	return p.ledger.Claim(patient, until, p.o.Copier.Clock())
}
