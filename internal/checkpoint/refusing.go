package checkpoint

import (
	"context"
	"time"

	"syncd/internal/checkpoint/record"
)

// Refusal returns why the resumed pass ended early. The result ok is false if the resumed pass was
// not refused, or if this pass does not resume another pass.
func (p *saving) Refusal() (r record.Refusal, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refusal == nil {
		return record.Refusal{}, false
	}
	return *p.refusal, true
}

// Allowed clears the refusal, so that the next save no longer records it.
func (p *saving) Allowed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusal = nil
}

// Refuse saves the reason why the pass ends early: everything was refused. Call Abandon to save the
// settled keys.
func (p *saving) Refuse(ctx context.Context, r record.Refusal) error {
	r.Since, r.WalkedAt = r.Since.UTC().Truncate(time.Microsecond), r.WalkedAt.UTC().Truncate(time.Microsecond)
	if err := p.turn.Take(ctx); err != nil {
		return err
	}
	defer p.turn.Give()
	p.mu.Lock()
	if p.err != nil {
		defer p.mu.Unlock()
		return p.err
	}
	p.refusal = &r
	p.mu.Unlock()
	return p.saveState(ctx)
}
