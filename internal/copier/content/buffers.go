package content

import (
	"context"
	"math/bits"
	"slices"
	"sync"

	"syncd/internal/transfer"
)

const (
	// smallestBuffer is the least that is lent, in bytes.
	smallestBuffer = 64 << 10
	// shareFactor is how much a copier may hold in proportion to what is left, where there are others: three quarters of all alone,
	// and three sevenths each of two that hold what they can get.
	shareFactor = 3
)

// Buffers lends memory for content that is relayed, and never holds more than its size, lent or spare. It is shared by the
// copiers of a process.
//
// What a copier may hold shrinks with what is left, so that some is left for the others however long it is held, as by
// bodies of a source that has gone silent: dynamic thresholds, which switches share their memory among queues by (Choudhury
// and Hahne, IEEE/ACM Transactions on Networking, 1998). Who has nothing gets the next that is free; copiers that wait take
// turns, and within one it goes by who came first.
type Buffers struct {
	size int64

	mu      sync.Mutex
	members int          // copiers that ever shared it: one that is alone may hold all
	lent    int64        // bytes
	turns   []*Member    // of which requests wait, in the order of their turns
	held    int64        // bytes of all buffers, lent or spare
	spare   [64][][]byte // by the power of two that is their length
}

// Size is how many bytes it holds at the most.
func (b *Buffers) Size() int64 { return b.size }

// NewBuffers returns Buffers of size bytes in all, at least those of one usual part.
func NewBuffers(size int64) *Buffers { return &Buffers{size: max(size, transfer.DefaultRelayPart)} }

// Member is the share of one copier in Buffers. The lock of these guards it.
type Member struct {
	b       *Buffers
	lent    int64 // bytes
	waiting []*want
}

// want is a request for memory that waits.
type want struct {
	weight  int64
	granted chan struct{} // closed when it is lent
}

// Member returns the share of one more copier.
func (b *Buffers) Member() *Member {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.members++
	return &Member{b: b}
}

// Borrow returns n bytes, waiting until they are free. More than the size of all is lent alone, when nothing else is: an
// object above 10,000 times that size cannot have smaller parts.
func (m *Member) Borrow(ctx context.Context, n int64) (buffer []byte, giveBack func(), err error) {
	class := bits.Len64(uint64(max(n, smallestBuffer) - 1)) //nolint:gosec // positive
	weight := min(int64(1)<<class, m.b.size)
	if err := m.acquire(ctx, weight); err != nil {
		return nil, nil, err
	}
	whole := m.b.take(class, max(weight, n))
	return whole[:n], func() {
		m.b.giveBack(class, whole)
		m.release(weight)
	}, nil
}

// acquire waits until so many bytes are lent. Its error is that of ctx, and then none are.
func (m *Member) acquire(ctx context.Context, weight int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w := m.ask(weight)
	select {
	case <-w.granted:
		return nil
	case <-ctx.Done():
		m.withdraw(w)
		return ctx.Err()
	}
}

func (m *Member) ask(weight int64) *want {
	m.b.mu.Lock()
	defer m.b.mu.Unlock()
	w := &want{weight, make(chan struct{})}
	if len(m.waiting) == 0 {
		m.b.turns = append(m.b.turns, m)
	}
	m.waiting = append(m.waiting, w)
	m.b.grant()
	return w
}

// withdraw takes a request back that may have been granted meanwhile.
func (m *Member) withdraw(w *want) {
	m.b.mu.Lock()
	defer m.b.mu.Unlock()
	at := slices.Index(m.waiting, w)
	if at < 0 {
		m.lent -= w.weight
		m.b.lent -= w.weight
	} else if m.waiting = slices.Delete(m.waiting, at, at+1); len(m.waiting) == 0 {
		m.b.turns = slices.DeleteFunc(m.b.turns, func(t *Member) bool { return t == m })
	}
	m.b.grant()
}

func (m *Member) release(weight int64) {
	m.b.mu.Lock()
	defer m.b.mu.Unlock()
	m.lent -= weight
	m.b.lent -= weight
	m.b.grant()
}

// grant lends what is free to those that wait, one request of each member in turn. Whose turn it is and who needs more than
// is free holds up the others, or it might never get that; whoever has its share already does not.
func (b *Buffers) grant() {
	for i := 0; i < len(b.turns); {
		m := b.turns[i]
		w := m.waiting[0]
		if m.hasShare(w.weight) {
			i++
			continue
		}
		if w.weight > b.size-b.lent {
			return
		}
		m.waiting = m.waiting[1:]
		m.lent += w.weight
		b.lent += w.weight
		close(w.granted)
		if b.turns = slices.Delete(b.turns, i, i+1); len(m.waiting) > 0 {
			b.turns = append(b.turns, m)
		}
	}
}

// hasShare reports whether the member holds so much that what is left is for others.
func (m *Member) hasShare(weight int64) bool {
	left := m.b.size - m.b.lent - weight
	return m.b.members > 1 && m.lent > 0 && m.lent+weight > shareFactor*left
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
