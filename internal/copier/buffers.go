package copier

import (
	"context"
	"math/bits"
	"sync"

	"golang.org/x/sync/semaphore"
)

// smallestBuffer is the least that is lent, in bytes.
const smallestBuffer = 64 << 10

// Buffers lends memory for content that is relayed, and never lends more than its size at once. It is shared by the
// copiers of a process.
type Buffers struct {
	size  int64
	lent  *semaphore.Weighted
	spare [64]sync.Pool // of *[]byte, by the power of two that is their length
}

// NewBuffers returns Buffers of size bytes in all, at least those of one usual part.
func NewBuffers(size int64) *Buffers {
	size = max(size, defaultRelayPart)
	return &Buffers{size: size, lent: semaphore.NewWeighted(size)}
}

// borrow returns n bytes, waiting until they are free. More than the size of all is lent alone, when nothing else is: an
// object above 10,000 times that size cannot have smaller parts.
func (b *Buffers) borrow(ctx context.Context, n int64) (buffer []byte, giveBack func(), err error) {
	class := bits.Len64(uint64(max(n, smallestBuffer) - 1)) //nolint:gosec // positive
	weight := min(int64(1)<<class, b.size)
	if err := b.lent.Acquire(ctx, weight); err != nil {
		return nil, nil, err
	}
	if n > b.size {
		return make([]byte, n), func() { b.lent.Release(weight) }, nil
	}
	spare, ok := b.spare[class].Get().(*[]byte)
	if !ok {
		fresh := make([]byte, 1<<class)
		spare = &fresh
	}
	return (*spare)[:n], func() {
		b.spare[class].Put(spare)
		b.lent.Release(weight)
	}, nil
}
