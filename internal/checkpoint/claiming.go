package checkpoint

import (
	"context"
	"fmt"
	"slices"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/turn"
)

// claiming makes claims of a pass durable, one at a time.
type claiming struct {
	in    *saving
	start string // Pass.Mark
	turn  turn.Lock
	after string // the own claims reach from Pass.Mark to here
	done  bool   // they reach to the last key
	begun bool   // there is one
}

// Claims returns what earlier processes claimed and did not settle as far as is known: those of
// this pass before it was resumed, and of passes under other settings. What the destination holds
// there may be theirs.
func (c *claiming) Claims() []record.Claim { return slices.Clone(c.in.claims.inherited) }

// TakeClaims has the pass hand claims of another ledger on, whose entries it records: it settles
// none of them.
func (c *claiming) TakeClaims(claims []record.Claim) {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	c.in.claims.taken = record.MergeClaims(claims)
}

// ReplaceClaims replaces each inherited claim by what is left of it now that this pass has settled
// all its keys; ok is false when nothing is. Those under its own settings need not be named, unless
// they are Proved. It is called before Commit, which hands the others on.
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

// Claim makes a claim on the keys from the last claim of this process, or the pass's beginning, up
// to until ("" to the last key) durable, before the first of them is written at the destination.
// Since is the time from which they may be. What is claimed already costs nothing.
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

// saveClaim writes a progress record that names the claim. When it cannot be written the claim is
// not made.
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

// ClaimKey makes a claim on one key durable before it is written at the destination, wherever in
// the keys it is. What is claimed already costs nothing.
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

// hasClaimed reports whether an earlier process, or this one, has claimed the key by itself, in a
// record that is there.
func (c *claiming) hasClaimed(key string) bool {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	return slices.ContainsFunc(slices.Concat(c.in.claims.inherited, c.in.claims.own), func(own record.Claim) bool {
		return own.Fingerprint == c.in.fingerprint && !own.Proved && len(own.Settled) == 0 && own.Covers(key)
	})
}

// below returns a key shortly before another one.
func below(key string) string {
	last := len(key) - 1
	if last < 0 || key[last] == 0 {
		return key[:max(last, 0)]
	}
	return key[:last] + string([]byte{key[last] - 1, 0xff})
}
