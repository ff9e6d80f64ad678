package checkpoint

import (
	"context"
	"fmt"
	"slices"
	"time"

	"syncd/internal/checkpoint/record"
)

// claiming saves the claims of a pass.
type claiming struct{ in *saving }

// Claims returns the claims of earlier processes that are not known to be settled: the claims that
// this pass made before it was resumed, and the claims of passes under other settings. Objects at
// the destination under the claimed keys may have been written by these processes.
func (c *claiming) Claims() []record.Claim { return slices.Clone(c.in.claims.inherited) }

// TakeClaims adds claims of another ledger whose entries this pass records. The pass does not
// settle the added claims; it includes them in the generation that it commits.
func (c *claiming) TakeClaims(claims []record.Claim) {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	c.in.claims.taken = record.MergeClaims(claims)
}

// ReplaceClaims replaces each inherited claim with the part of it that this pass has not settled.
// ReplaceClaims calls left with each claim. The function left returns the unsettled part of the
// claim as rest, or false as ok if the pass has settled the whole claim. Call ReplaceClaims before
// Commit, which writes the remaining claims to the next generation. Commit drops every claim that
// has the settings of this pass and is not Proved, whatever left returned for that claim. Claims on
// keys that an interrupted pass may still write are kept, see record.Claim.MayLand.
func (c *claiming) ReplaceClaims(left func(record.Claim) (rest record.Claim, ok bool)) {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	var inherited []record.Claim
	for _, claim := range c.in.claims.inherited {
		if claim.MayLand(c.in.began) {
			inherited = append(inherited, claim)
		} else if rest, ok := left(claim); ok {
			inherited = append(inherited, rest)
		}
	}
	c.in.claims.inherited = inherited
}

// Claim saves a claim on ranges of keys. Call it before any of these keys is written at the
// destination. Copies are those keys that may be written; the others are only between them. Since is the
// earliest time at which a key can be written. Concurrent calls share one request. If this process has
// already claimed the keys, Claim returns without a request.
func (c *claiming) Claim(ctx context.Context, keys []record.Range, copies []string, since time.Time) error {
	if err := c.in.saveClaims(ctx, c.claim(keys, copies, since)); err != nil {
		return fmt.Errorf("claim keys: %w", err)
	}
	return nil
}

// claim adds a claim for each range that this process has not claimed yet. It returns the version
// of the claims that must be saved.
func (c *claiming) claim(keys []record.Range, copies []string, since time.Time) (version int64) {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	var made []record.Claim
	for _, r := range keys {
		if slices.ContainsFunc(c.in.claims.own, func(own record.Claim) bool { return own.CoversAll(r) }) {
			continue
		}
		made = append(made, record.Claim{
			Fingerprint: c.in.fingerprint, After: r.After, Until: r.Until, Since: since.UTC().Truncate(time.Microsecond),
			Copies: record.HashesOf(slices.DeleteFunc(slices.Clone(copies), func(key string) bool { return !r.Contains(key) })...),
		})
	}
	if len(made) > 0 {
		c.in.claims.add(made)
	}
	return c.in.claims.version
}

// saveClaims saves the claims, unless this version or a later version of them is saved already.
func (p *saving) saveClaims(ctx context.Context, version int64) error {
	return p.saveStateUnless(ctx, func() bool { return p.claims.saved >= version })
}

// ClaimKey saves a claim on a single key, anywhere in the key order. Call it before the key is
// written at the destination. If the key is already claimed, ClaimKey returns without a request.
func (c *claiming) ClaimKey(ctx context.Context, key string, since time.Time) error {
	if c.hasClaimed(key) {
		return c.in.failure()
	}
	return c.Claim(ctx, []record.Range{{After: record.Below(key), Until: key}}, []string{key}, since)
}

// hasClaimed reports whether this process or an earlier one has a saved claim that covers the key.
func (c *claiming) hasClaimed(key string) bool {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	return c.in.claims.saved >= c.in.claims.version && slices.ContainsFunc(slices.Concat(c.in.claims.inherited, c.in.claims.own), func(own record.Claim) bool {
		return own.IsPlain(c.in.fingerprint) && own.Covers(key)
	})
}
