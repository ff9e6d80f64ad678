package checkpoint

import (
	"context"
	"fmt"
)

// Writing returns a context for one write at the destination, and a function that releases it. The
// context also ends when the lease is lost. If the lease is already lost, Writing returns an error
// that satisfies errors.Is(err, ErrLeaseLost).
func (p *saving) Writing(ctx context.Context) (bound context.Context, release context.CancelFunc, err error) {
	if err := p.saver.lease.Held(ctx); err != nil {
		return nil, nil, fmt.Errorf("write at the destination: %w", err)
	}
	bound, release = p.saver.lease.Bound(ctx)
	return bound, release, nil
}

// Confirm checks with the store that the lease is held, and returns nil if the pass may still
// write. Call it before deleting anything that other processes have left.
func (p *saving) Confirm(ctx context.Context) error {
	if err := p.saver.lease.Confirm(ctx); err != nil {
		return p.fail(fmt.Errorf("confirm the lease: %w", err))
	}
	return nil
}

// Writing calls the method Writing of the slot's pass.
func (s *Slot) Writing(ctx context.Context) (bound context.Context, release context.CancelFunc, err error) {
	return s.pass.Writing(ctx)
}
