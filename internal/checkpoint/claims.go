package checkpoint

import (
	"context"
	"fmt"
	"slices"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/turn"
)

// claims are the claims of a pass. They are used under Pass.mu.
type claims struct {
	inherited []record.Claim // of earlier processes and of passes under other settings
	taken     []record.Claim // over from another ledger, for the next pass
	own       []record.Claim // of this process
}

// all returns what a progress record has to name once every key up to mark is settled. What is settled stays claimed until the
// pass commits: one under other settings does not resume it. It takes one claim.
func (c *claims) all(mark, fingerprint string) (named []record.Claim) {
	var settled *record.Claim
	for _, claim := range record.MergeClaims(slices.Concat(c.inherited, c.own)) {
		switch {
		case claim.Fingerprint != fingerprint || claim.Until == "" || claim.Until > mark:
			named = append(named, claim)
		case settled == nil:
			settled = &claim
		default:
			settled.After, settled.Until = min(settled.After, claim.After), max(settled.Until, claim.Until)
			settled.Since = record.Earliest(settled.Since, claim.Since)
		}
	}
	if settled != nil {
		named = append([]record.Claim{*settled}, named...)
	}
	return named
}

// Claims returns what earlier processes claimed and did not settle as far as is known: those of this pass before it was
// resumed, and of passes under other settings. What the destination holds there may be theirs.
func (p *Pass) Claims() []record.Claim { return slices.Clone(p.claims.inherited) }

// TakeClaims has the pass hand claims of another ledger on, whose entries it records: it settles none of them.
func (p *Pass) TakeClaims(claims []record.Claim) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claims.taken = record.MergeClaims(claims)
}

// SettleClaims replaces each inherited claim by what is left of it now that this pass has settled all its keys; ok is false when
// nothing is. Those under its own settings need not be named, unless they are Proved. It is called before Commit, which hands the others on.
func (p *Pass) SettleClaims(left func(record.Claim) (rest record.Claim, ok bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var inherited []record.Claim
	for _, c := range p.claims.inherited {
		if rest, ok := left(c); ok {
			inherited = append(inherited, rest)
		}
	}
	p.claims.inherited = inherited
}

// claiming serialises the claims of a pass.
type claiming struct {
	turn  turn.Lock
	after string // the own claims reach from Pass.Mark to here
	done  bool   // they reach to the last key
	begun bool   // there is one
}

// Claim makes a claim on the keys from the last claim of this process, or the pass's beginning, up to until ("" to the last
// key) durable, before the first of them is written at the destination. Since is the time from which they may be. What is
// claimed already costs nothing.
func (p *Pass) Claim(ctx context.Context, until string, since time.Time) error {
	c := &p.claiming
	if err := c.turn.Take(ctx); err != nil {
		return err
	}
	defer c.turn.Give()
	if c.done || c.begun && until != "" && until <= c.after {
		return p.failure()
	}
	claim := record.Claim{
		Fingerprint: p.settings.Fingerprint, After: p.start, Until: until, Since: since.UTC().Truncate(time.Microsecond),
	}
	if c.begun {
		claim.After = c.after
	}
	if err := p.saveClaim(ctx, claim); err != nil {
		return fmt.Errorf("claim keys up to %q: %w", until, err)
	}
	c.after, c.done, c.begun = until, until == "", true
	return nil
}

// saveClaim writes a progress record that names the claim. When it cannot be written the claim is not made.
func (p *Pass) saveClaim(ctx context.Context, claim record.Claim) error {
	if err := p.saving.Take(ctx); err != nil {
		return err
	}
	defer p.saving.Give()
	p.mu.Lock()
	if p.err != nil {
		defer p.mu.Unlock()
		return p.err
	}
	p.claims.own = record.MergeClaims(append(p.claims.own, claim))
	p.mu.Unlock()
	return p.saveState(ctx)
}
