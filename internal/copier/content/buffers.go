package content

import (
	"context"
	"math/bits"
	"sync"
	"sync/atomic"

	"syncd/internal/fair"
	"syncd/internal/transfer"
)

const (
	// smallestBuffer is the smallest buffer that is lent, in bytes.
	smallestBuffer = 64 << 10
	// shareFactor limits how much memory a copier can hold if there are other copiers, as a
	// multiple of the free memory. One copier can hold three quarters of the memory if the other
	// copiers hold none. If two copiers hold as much as they can, each has three sevenths.
	shareFactor = 3
)

// Buffers lends memory for relayed content. The total size of lent and spare buffers never exceeds
// Size. All copiers of a process share one Buffers.
//
// The share of a copier shrinks with the free memory, so that some memory remains for other copiers
// even if one copier holds its buffers for a long time, for example while its source is silent.
// Network switches use the same scheme, called dynamic thresholds, to share memory among queues
// (Choudhury and Hahne, IEEE/ACM Transactions on Networking, 1998). A copier that holds no memory
// gets the next free memory. Waiting copiers take turns, and the requests of one copier are served
// first come, first served.
type Buffers struct {
	size int64

	members atomic.Int64 // number of copiers created; a single copier can use all memory
	queue   *fair.Queue  // requests for memory

	mu    sync.Mutex
	held  int64        // bytes of all buffers, lent or spare
	spare [64][][]byte // by the base-2 logarithm of their length
}

// Size returns the maximum number of bytes of all buffers together.
func (b *Buffers) Size() int64 { return b.size }

// NewBuffers returns Buffers with size bytes in total, but at least one part of the default size.
func NewBuffers(size int64) *Buffers {
	b := &Buffers{size: max(size, transfer.DefaultRelayPart)}
	b.queue = fair.NewQueue(b.verdict)
	return b
}

// Member is one copier's share of Buffers.
type Member struct {
	b     *Buffers
	bytes *fair.Member
}

// Member adds a copier and returns its share.
func (b *Buffers) Member() *Member {
	b.members.Add(1)
	return &Member{b, b.queue.Member()}
}

// Borrow waits until n bytes are free and lends them. An object larger than 10,000 times the total
// size needs parts larger than the total size. So a request for more than the total size is granted
// too, but only when no other memory is lent.
func (m *Member) Borrow(ctx context.Context, n int64) (buffer []byte, giveBack func(), err error) {
	class := bits.Len64(uint64(max(n, smallestBuffer) - 1)) //nolint:gosec // positive
	weight := min(int64(1)<<class, m.b.size)
	if err := m.bytes.AcquireN(ctx, weight); err != nil {
		return nil, nil, err
	}
	whole := m.b.take(class, max(weight, n))
	return whole[:n], func() {
		m.b.giveBack(class, whole)
		m.bytes.ReleaseN(weight)
	}, nil
}

// verdict decides on a request of the given weight. A request for more memory than is free blocks
// the requests after it, because otherwise it might never be granted. A request of a member that
// already has its share is skipped.
func (b *Buffers) verdict(own, all, weight int64) fair.Verdict {
	left := b.size - all - weight
	switch hasShare := own > 0 && own+weight > shareFactor*left; {
	case hasShare && b.members.Load() > 1:
		return fair.Skip
	case left < 0:
		return fair.Block
	default:
		return fair.Admit
	}
}

// take returns a spare buffer of the class, or a new one, freeing spare buffers of other classes if
// needed. Spare buffers are kept for reuse. If they were dropped, they would still occupy memory
// until the garbage collector runs, in addition to the new buffers.
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
	// The buffer is too short for some requests of the class, or longer than the total size.
	if len(buffer) < 1<<class || int64(len(buffer)) > b.size {
		b.held -= int64(len(buffer))
		return
	}
	b.spare[class] = append(b.spare[class], buffer)
}
