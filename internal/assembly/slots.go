package assembly

import (
	"context"

	"syncd/internal/fair"
	"syncd/internal/throttle"
)

// slots are what a request of a mapping needs before it is sent: one of the mapping's own, which
// its level bounds, and then one of those that all mappings share. In this order no slot of all is
// held by a request that waits for its own mapping.
type slots struct {
	own    *throttle.Gate
	shared *fair.Member
}

// Acquire waits for both. Its error is that of ctx, and then none is taken.
func (s slots) Acquire(ctx context.Context) error {
	if err := s.own.Acquire(ctx); err != nil {
		return err
	}
	if err := s.shared.Acquire(ctx); err != nil {
		s.own.Release()
		return err
	}
	return nil
}

// Release gives both back.
func (s slots) Release() {
	s.shared.Release()
	s.own.Release()
}
