package copier

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// Buffers lends memory for content that is relayed, and never lends more than its size at once. It is shared by the
// copiers of a process.
type Buffers struct {
	size  int64
	lent  *semaphore.Weighted
	spare sync.Pool // of *[]byte, defaultRelayPart long
}

// NewBuffers returns Buffers of size bytes in all.
func NewBuffers(size int64) *Buffers {
	return &Buffers{size: size, lent: semaphore.NewWeighted(size)}
}

// borrow returns n bytes, waiting until they are free. A wish above the size of all is granted alone: there are parts that
// cannot be smaller (those of objects above 10,000 times the usual part).
func (b *Buffers) borrow(ctx context.Context, n int64) (buffer []byte, giveBack func(), err error) {
	weight := min(max(n, defaultRelayPart), b.size) // what is lent, not what is used of it
	if err := b.lent.Acquire(ctx, weight); err != nil {
		return nil, nil, err
	}
	if n > defaultRelayPart {
		return make([]byte, n), func() { b.lent.Release(weight) }, nil
	}
	spare, ok := b.spare.Get().(*[]byte)
	if !ok {
		fresh := make([]byte, defaultRelayPart)
		spare = &fresh
	}
	return (*spare)[:n], func() {
		b.spare.Put(spare)
		b.lent.Release(weight)
	}, nil
}
