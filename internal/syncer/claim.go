package syncer

import (
	"context"
	"slices"
	"strings"
	"sync"

	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// claimed returns what claims say of a source key: what was claimed under other settings is found by the key at the
// destination. It returns nil where no claim is on this mapping's place.
func (o *Options) claimed(claims []record.Claim) func(key string) plan.Claimed {
	s := o.Settings
	type claim struct {
		record.Claim
		by Settings
	}
	var here []claim
	for _, c := range claims {
		if by, ok := o.claimsHere(c); ok {
			here = append(here, claim{c, by})
		}
	}
	if len(here) == 0 {
		return nil
	}
	return func(key string) (all plan.Claimed) {
		at := s.Destination.Prefix + strings.TrimPrefix(key, s.Source.Prefix)
		for _, c := range here {
			inside, ok := strings.CutPrefix(at, c.by.Destination.Prefix)
			if !ok || !c.Covers(c.by.Source.Prefix+inside) || isBelow(at, c.Settled) {
				continue
			}
			all.Proved = c.Proved && (all.Proved || all.Since.IsZero())
			all.Since = earlier(all.Since, c.Since)
			if c.by.KeyARN != s.KeyARN {
				all.OtherKeys = append(all.OtherKeys, c.by.KeyARN)
			}
		}
		return all
	}
}

// claimedRange returns where in the destination the keys are that claims are on.
func (o *Options) claimedRange(claims []record.Claim) (all listing.Range) {
	isFirst := true
	for _, c := range claims {
		by, ok := o.claimsHere(c)
		if !ok {
			continue
		}
		at := func(key string) string {
			if key == "" {
				return ""
			}
			return by.Destination.Prefix + strings.TrimPrefix(key, by.Source.Prefix)
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

// claimsHere returns the settings of a claim; ok is false where it is on nothing that the mapping writes today.
func (o *Options) claimsHere(c record.Claim) (by Settings, ok bool) {
	id, ok := o.identify(c.Fingerprint)
	here, there := o.Settings.Destination, id.Destination
	overlap := strings.HasPrefix(here.Prefix, there.Prefix) || strings.HasPrefix(there.Prefix, here.Prefix)
	ok = ok && there.Endpoint == here.Endpoint && there.Bucket == here.Bucket && overlap && !isBelow(here.Prefix, c.Settled)
	return id.Settings, ok
}

// isBelow reports whether the key, or prefix, begins with one of the prefixes.
func isBelow(key string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(key, prefix) })
}

// mayHaveLeft reports whether one of the claims leaves something to find out.
func (o *Options) mayHaveLeft(claims []record.Claim) bool {
	return slices.ContainsFunc(claims, func(c record.Claim) bool {
		_, isHere := o.claimsHere(c)
		return isHere && !c.Proved
	})
}

// left returns what is left of a claim when a pass has settled all that the mapping writes. One that could not list the destination
// has not found what no entry names.
func (p *pass) left(c record.Claim) (rest record.Claim, ok bool) {
	by, isHere := p.o.claimsHere(c)
	switch prefix := p.o.Settings.Destination.Prefix; {
	case !isHere:
		return c, true
	case c.Proved || p.hidden.Load():
		c.Proved = true
		return c, true
	case strings.HasPrefix(by.Destination.Prefix, prefix):
		return c, false
	default:
		c.Settled = append(slices.Clone(c.Settled), prefix)
		return c, true
	}
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
	since := p.o.Copier.Clock()
	// What an upload becomes that is resumed is dated by its beginning.
	for _, u := range p.ledger.LeftUploads() {
		if until == "" || u.Key <= until {
			since = earlier(since, u.BeganAt)
		}
	}
	return p.ledger.Claim(patient, until, since)
}
