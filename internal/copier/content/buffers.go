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
	// smallestBuffer is the least that is lent, in bytes.
	smallestBuffer = 64 << 10
	// shareFactor is how much a copier may hold in proportion to what is left, where there are
	// others: three quarters of all alone, and three sevenths each of two that hold what they can
	// get.
	shareFactor = 3
)

// Buffers lends memory for content that is relayed, and never holds more than its size, lent or
// spare. It is shared by the copiers of a process.
//
// What a copier may hold shrinks with what is left, so that some is left for the others however
// long it is held, as by bodies of a source that has gone silent: dynamic thresholds, which
// switches share their memory among queues by (Choudhury and Hahne, IEEE/ACM Transactions on
// Networking, 1998). Who has nothing gets the next that is free; copiers that wait take turns, and
// within one it goes by who came first.
type Buffers struct {
	size int64

	members atomic.Int64 // copiers that ever shared it: one that is alone may hold all
	queue   *fair.Queue  // of requests for memory

	mu    sync.Mutex
	held  int64        // bytes of all buffers, lent or spare
	spare [64][][]byte // by the power of two that is their length
}

// Size is how many bytes it holds at the most.
func (b *Buffers) Size() int64 { return b.size }

// NewBuffers returns Buffers of size bytes in all, at least those of one usual part.
func NewBuffers(size int64) *Buffers {
	b := &Buffers{size: max(size, transfer.DefaultRelayPart)}
	b.queue = fair.NewQueue(b.verdict)
	return b
}

// Member is the share of one copier in Buffers.
type Member struct {
	b     *Buffers
	bytes *fair.Member
}

// Member returns the share of one more copier.
func (b *Buffers) Member() *Member {
	b.members.Add(1)
	return &Member{b, b.queue.Member()}
}

// Borrow returns n bytes, waiting until they are free. More than the size of all is lent alone,
// when nothing else is: an object above 10,000 times that size cannot have smaller parts.
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

// verdict lends what is free. A request that needs more than that holds up the others, or it might
// never get it; one of a member that has its share already does not.
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

// take returns a spare buffer of the class, or a new one of that length in the place of spare ones
// of other classes. Spare ones are kept rather than left to the collector, which lets as much again
// pile up before it looks.
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
