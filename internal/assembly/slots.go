package assembly

import (
	"context"

	"syncd/internal/fair"
	"syncd/internal/throttle"
)

// slots are what a request of a mapping needs before it is sent: a slot of the mapping, limited by
// its level, and then a slot of the process, shared by all mappings. This order makes sure that a
// request that waits for a slot of its mapping does not hold a shared slot.
type slots struct {
	own    *throttle.Gate
	shared *fair.Member
}

// Acquire waits for both slots. If ctx ends, it takes no slot and returns the error of ctx.
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

// Release releases both slots.
func (s slots) Release() {
	s.shared.Release()
	s.own.Release()
}
