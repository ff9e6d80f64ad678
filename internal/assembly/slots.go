package assembly

import (
	"context"

	"syncd/internal/fair"
	"syncd/internal/throttle"
)

// slots acquires the two slots that a request of a mapping needs before it is sent: first one of
// the mapping's own slots, then one of the slots that all mappings share. In this order, a request
// that waits for a slot of its mapping does not hold a shared slot.
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
