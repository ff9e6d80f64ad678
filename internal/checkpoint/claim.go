package checkpoint

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Claim says that a pass may have written copies of the keys in (After, Until]. It is durable before the first of them is
// written, so that whoever meets an object there knows that it may be syncd's own, whatever became of the pass: killed before
// it could save, or given up for other settings.
type Claim struct {
	Fingerprint string    `json:"fingerprint"` // of the settings under which it was made: they say where, and under which key
	After       string    `json:"after"`       // key at the source; exclusive, "" from the first key
	Until       string    `json:"until"`       // key at the source; inclusive, "" to the last key
	Since       time.Time `json:"since"`       // by the destination's clock, as far as known: nothing was written earlier
	// Settled are the prefixes at the destination below which passes have settled all that the claim is on.
	Settled []string `json:"settled,omitempty"`
	// Proved says that the entries of the ledger are right all the same: only what no entry names may be left.
	Proved bool `json:"proved,omitempty"`
}

// merge leaves out the claims that others say all of: processes that are killed again and again claim the same keys again and again.
// Of more than mostClaims it makes one of those that overlap, as old as the oldest.
func merge(all []Claim) (merged []Claim) {
	for _, c := range all {
		isSaid := func(m Claim) bool { return m.says(c) }
		if slices.ContainsFunc(merged, isSaid) {
			continue
		}
		merged = append(slices.DeleteFunc(merged, func(m Claim) bool { return c.says(m) }), c)
	}
	if len(merged) <= mostClaims {
		return merged
	}
	var fewer []Claim
	for _, c := range merged {
		for i := 0; i < len(fewer); i++ {
			if m := fewer[i]; m.Fingerprint == c.Fingerprint && m.overlaps(c) {
				c, fewer = m.with(c), slices.Delete(fewer, i, i+1)
				i = -1 // the larger one may overlap others
			}
		}
		fewer = append(fewer, c)
	}
	return fewer
}

// mostClaims is how many claims are kept apart.
const mostClaims = 16

// says reports whether the claim says all that another one does.
func (c Claim) says(o Claim) bool {
	return c.Fingerprint == o.Fingerprint && (o.Proved || !c.Proved) && c.After <= o.After && (c.Until == "" || o.Until != "" && o.Until <= c.Until) &&
		!c.Since.After(o.Since) && !slices.ContainsFunc(c.Settled, func(prefix string) bool { return !slices.Contains(o.Settled, prefix) })
}

func (c Claim) overlaps(o Claim) bool {
	return (c.Until == "" || o.After < c.Until) && (o.Until == "" || c.After < o.Until)
}

// with is a claim that says what both say, of all the keys between them too.
func (c Claim) with(o Claim) Claim {
	c.After, c.Since, c.Proved = min(c.After, o.After), earliest(c.Since, o.Since), c.Proved && o.Proved
	if c.Until != "" && o.Until != "" {
		c.Until = max(c.Until, o.Until)
	} else {
		c.Until = ""
	}
	c.Settled = slices.DeleteFunc(slices.Clone(c.Settled), func(prefix string) bool { return !slices.Contains(o.Settled, prefix) })
	return c
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Covers reports whether the claim is on the key, which is one at the source of the claim's settings.
func (c Claim) Covers(key string) bool { return key > c.After && (c.Until == "" || key <= c.Until) }

// MarshalJSON writes the keys in a form that carries bytes that are not UTF-8.
func (c Claim) MarshalJSON() ([]byte, error) {
	type plain Claim
	return json.Marshal(struct {
		plain
		After keyText `json:"after"`
		Until keyText `json:"until"`
	}{plain(c), keyText(c.After), keyText(c.Until)})
}

// UnmarshalJSON reverses MarshalJSON.
func (c *Claim) UnmarshalJSON(data []byte) error {
	type plain Claim
	var in struct {
		plain
		After keyText `json:"after"`
		Until keyText `json:"until"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*c = Claim(in.plain)
	c.After, c.Until = string(in.After), string(in.Until)
	return nil
}

// claims are the claims of a pass. They are used under Pass.mu.
type claims struct {
	inherited []Claim // of earlier processes and of passes under other settings
	taken     []Claim // over from another ledger, for the next pass
	own       []Claim // of this process
}

// all returns what a progress record has to name once every key up to mark is settled. What is settled stays claimed until the
// pass commits: one under other settings does not resume it. It takes one claim.
func (c *claims) all(mark, fingerprint string) (named []Claim) {
	var settled *Claim
	for _, claim := range merge(slices.Concat(c.inherited, c.own)) {
		switch {
		case claim.Fingerprint != fingerprint || claim.Until == "" || claim.Until > mark:
			named = append(named, claim)
		case settled == nil:
			settled = &claim
		default:
			settled.After, settled.Until = min(settled.After, claim.After), max(settled.Until, claim.Until)
			settled.Since = earliest(settled.Since, claim.Since)
		}
	}
	if settled != nil {
		named = append([]Claim{*settled}, named...)
	}
	return named
}

// Claims returns what earlier processes claimed and did not settle as far as is known: those of this pass before it was
// resumed, and of passes under other settings. What the destination holds there may be theirs.
func (p *Pass) Claims() []Claim { return slices.Clone(p.claims.inherited) }

// TakeClaims has the pass hand claims of another ledger on, whose entries it records: it settles none of them.
func (p *Pass) TakeClaims(claims []Claim) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claims.taken = merge(claims)
}

// SettleClaims replaces each inherited claim by what is left of it now that this pass has settled all its keys; ok is false when
// nothing is. Those under its own settings need not be named, unless they are Proved. It is called before Commit, which hands the others on.
func (p *Pass) SettleClaims(left func(Claim) (rest Claim, ok bool)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var inherited []Claim
	for _, c := range p.claims.inherited {
		if rest, ok := left(c); ok {
			inherited = append(inherited, rest)
		}
	}
	p.claims.inherited = inherited
}

// claiming serialises the claims of a pass.
type claiming struct {
	turn  turn
	after string // the own claims reach from Pass.Mark to here
	done  bool   // they reach to the last key
	begun bool   // there is one
}

// Claim makes a claim on the keys from the last claim of this process, or the pass's beginning, up to until ("" to the last
// key) durable, before the first of them is written at the destination. Since is the time from which they may be. What is
// claimed already costs nothing.
func (p *Pass) Claim(ctx context.Context, until string, since time.Time) error {
	c := &p.claiming
	if err := c.turn.take(ctx); err != nil {
		return err
	}
	defer c.turn.give()
	if c.done || c.begun && until != "" && until <= c.after {
		return p.failure()
	}
	claim := Claim{
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
func (p *Pass) saveClaim(ctx context.Context, claim Claim) error {
	if err := p.saving.take(ctx); err != nil {
		return err
	}
	defer p.saving.give()
	p.mu.Lock()
	if p.err != nil {
		defer p.mu.Unlock()
		return p.err
	}
	p.claims.own = merge(append(p.claims.own, claim))
	p.mu.Unlock()
	return p.saveState(ctx)
}
