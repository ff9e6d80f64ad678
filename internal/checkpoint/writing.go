package checkpoint

import (
	"context"
	"fmt"
)

// Writing returns a context for one write at the destination, which ends with the right to write
// there, and what frees it. It asks the lease first: the error, which satisfies errors.Is(err,
// ErrLeaseLost), says that the right has ended.
func (p *saving) Writing(ctx context.Context) (bound context.Context, release context.CancelFunc, err error) {
	if err := p.saver.lease.Held(ctx); err != nil {
		return nil, nil, fmt.Errorf("write at the destination: %w", err)
	}
	bound, release = p.saver.lease.Bound(ctx)
	return bound, release, nil
}

// Confirm returns nil when the pass may still write, after asking the store. What clears up after
// others waits for it.
func (p *saving) Confirm(ctx context.Context) error {
	if err := p.saver.lease.Confirm(ctx); err != nil {
		return p.fail(fmt.Errorf("confirm the lease: %w", err))
	}
	return nil
}

// Writing is that of the pass.
func (s *Slot) Writing(ctx context.Context) (bound context.Context, release context.CancelFunc, err error) {
	return s.pass.Writing(ctx)
}
