package checkpoint

import (
	"context"
	"fmt"
	"slices"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/turn"
)

// claiming saves the claims of a pass, one at a time.
type claiming struct {
	in    *saving
	start string // Pass.Mark
	turn  turn.Lock
	after string // this process has claimed the keys above Pass.Mark, up to and including this one
	done  bool   // this process has claimed all keys above Pass.Mark
	begun bool   // this process has made a claim
}

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
// has the settings of this pass and is not Proved, whatever left returned for that claim.
func (c *claiming) ReplaceClaims(left func(record.Claim) (rest record.Claim, ok bool)) {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	var inherited []record.Claim
	for _, claim := range c.in.claims.inherited {
		if rest, ok := left(claim); ok {
			inherited = append(inherited, rest)
		}
	}
	c.in.claims.inherited = inherited
}

// Claim saves a claim on the keys up to and including until ("" for all keys), starting after the
// end of this process's previous claim, or after Pass.Mark if there is none. Call it before any of
// these keys is written at the destination. Since is the earliest time at which a key can be
// written. If the keys are already claimed, Claim returns without a request.
func (c *claiming) Claim(ctx context.Context, until string, since time.Time) error {
	if err := c.turn.Take(ctx); err != nil {
		return err
	}
	defer c.turn.Give()
	if c.done || c.begun && until != "" && until <= c.after {
		return c.in.failure()
	}
	claim := record.Claim{
		Fingerprint: c.in.fingerprint, After: c.start, Until: until, Since: since.UTC().Truncate(time.Microsecond),
	}
	if c.begun {
		claim.After = c.after
	}
	if err := c.saveClaim(ctx, claim); err != nil {
		return fmt.Errorf("claim keys up to %q: %w", until, err)
	}
	c.after, c.done, c.begun = until, until == "", true
	return nil
}

// saveClaim writes a progress record that includes the claim.
func (c *claiming) saveClaim(ctx context.Context, claim record.Claim) error {
	if err := c.in.turn.Take(ctx); err != nil {
		return err
	}
	defer c.in.turn.Give()
	c.in.mu.Lock()
	if c.in.err != nil {
		defer c.in.mu.Unlock()
		return c.in.err
	}
	c.in.claims.own = record.MergeClaims(append(c.in.claims.own, claim))
	c.in.mu.Unlock()
	return c.in.saveState(ctx)
}

// ClaimKey saves a claim on a single key, anywhere in the key order. Call it before the key is
// written at the destination. If the key is already claimed, ClaimKey returns without a request.
func (c *claiming) ClaimKey(ctx context.Context, key string, since time.Time) error {
	if err := c.turn.Take(ctx); err != nil {
		return err
	}
	defer c.turn.Give()
	if c.done || c.begun && key <= c.after || c.hasClaimed(key) {
		return c.in.failure()
	}
	return c.saveClaim(ctx, record.Claim{
		Fingerprint: c.in.fingerprint, After: below(key), Until: key, Since: since.UTC().Truncate(time.Microsecond),
	})
}

// hasClaimed reports whether this process or an earlier one has a saved claim that covers the key.
func (c *claiming) hasClaimed(key string) bool {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	return slices.ContainsFunc(slices.Concat(c.in.claims.inherited, c.in.claims.own), func(own record.Claim) bool {
		return own.Fingerprint == c.in.fingerprint && !own.Proved && len(own.Settled) == 0 && own.Covers(key)
	})
}

// below returns a key just below the given one.
func below(key string) string {
	last := len(key) - 1
	if last < 0 || key[last] == 0 {
		return key[:max(last, 0)]
	}
	return key[:last] + string([]byte{key[last] - 1, 0xff})
}
