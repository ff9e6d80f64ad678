package checkpoint

import (
	"context"
	"fmt"
)

// Writing returns a context for one write at the destination, which ends with the right to write there, and what frees it. It
// asks the lease first: the error, which satisfies errors.Is(err, ErrLeaseLost), says that the right has ended.
func (p *Pass) Writing(ctx context.Context) (bound context.Context, release context.CancelFunc, err error) {
	lease := p.ledger.lease
	if err := lease.Held(ctx); err != nil {
		return nil, nil, fmt.Errorf("write at the destination: %w", err)
	}
	bound, release = lease.Bound(ctx)
	return bound, release, nil
}

// Confirm returns nil when the pass may still write, after asking the store. What clears up behind others waits for it.
func (p *Pass) Confirm(ctx context.Context) error {
	if err := p.ledger.lease.Confirm(ctx); err != nil {
		return p.fail(fmt.Errorf("confirm the lease: %w", err))
	}
	return nil
}

// Writing is Pass.Writing.
func (s *Slot) Writing(ctx context.Context) (bound context.Context, release context.CancelFunc, err error) {
	return s.pass.Writing(ctx)
}
