package copier

import (
	"context"
	"math/bits"
	"sync"

	"golang.org/x/sync/semaphore"
)

// smallestBuffer is the least that is lent, in bytes.
const smallestBuffer = 64 << 10

// Buffers lends memory for content that is relayed, and never holds more than its size, lent or spare. It is shared by the
// copiers of a process.
type Buffers struct {
	size int64
	lent *semaphore.Weighted

	mu    sync.Mutex
	held  int64        // bytes of all buffers, lent or spare
	spare [64][][]byte // by the power of two that is their length
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
	whole := b.take(class, max(weight, n))
	return whole[:n], func() {
		b.giveBack(class, whole)
		b.lent.Release(weight)
	}, nil
}

// take returns a spare buffer of the class, or a new one of that length in the place of spare ones of other classes. Spare
// ones are kept rather than left to the collector, which lets as much again pile up before it looks.
func (b *Buffers) take(class int, length int64) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := len(b.spare[class]) - 1; last >= 0 {
		buffer := b.spare[class][last]
		b.spare[class] = b.spare[class][:last]
		return buffer
	}
	for other := len(b.spare) - 1; other >= 0; other-- {
		for len(b.spare[other]) > 0 && b.held+length > b.size {
			last := len(b.spare[other]) - 1
			b.held -= int64(len(b.spare[other][last]))
			b.spare[other][last] = nil
			b.spare[other] = b.spare[other][:last]
		}
	}
	b.held += length
	return make([]byte, length)
}

func (b *Buffers) giveBack(class int, buffer []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(buffer) < 1<<class || int64(len(buffer)) > b.size { // no good for every buffer of the class
		b.held -= int64(len(buffer))
		return
	}
	b.spare[class] = append(b.spare[class], buffer)
}
