package checkpoint

import (
	"context"
	"slices"
	"time"

	"syncd/internal/checkpoint/record"
)

// Refusal returns why the pass that this one resumes ended; ok is false when it did not end so.
func (p *Pass) Refusal() (r record.Refusal, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refusal == nil {
		return record.Refusal{}, false
	}
	return *p.refusal, true
}

// Allowed forgets the refusal: the next save no longer names it.
func (p *Pass) Allowed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusal = nil
}

// Refuse makes it durable that the pass ends because everything is refused. What is settled is saved by Abandon.
func (p *Pass) Refuse(ctx context.Context, r record.Refusal) error {
	r.Since, r.WalkedAt = r.Since.UTC().Truncate(time.Microsecond), r.WalkedAt.UTC().Truncate(time.Microsecond)
	if err := p.saving.Take(ctx); err != nil {
		return err
	}
	defer p.saving.Give()
	p.mu.Lock()
	if p.err != nil {
		defer p.mu.Unlock()
		return p.err
	}
	p.refusal = &r
	p.mu.Unlock()
	return p.saveState(ctx)
}

// ClaimKey makes a claim on one key durable before it is written at the destination, wherever in the keys it is. What is claimed
// already costs nothing.
func (p *Pass) ClaimKey(ctx context.Context, key string, since time.Time) error {
	c := &p.claiming
	if err := c.turn.Take(ctx); err != nil {
		return err
	}
	defer c.turn.Give()
	if c.done || c.begun && key <= c.after || p.hasClaimed(key) {
		return p.failure()
	}
	return p.saveClaim(ctx, record.Claim{
		Fingerprint: p.settings.Fingerprint, After: below(key), Until: key, Since: since.UTC().Truncate(time.Microsecond),
	})
}

// hasClaimed reports whether an earlier process, or this one, has claimed the key by itself, in a record that is there.
func (p *Pass) hasClaimed(key string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(slices.Concat(p.claims.inherited, p.claims.own), func(c record.Claim) bool {
		return c.Fingerprint == p.settings.Fingerprint && !c.Proved && len(c.Settled) == 0 && c.Covers(key)
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
