package fair

import (
	"context"
	"slices"
	"sync"
)

// Verdict is the decision about the request whose turn it is.
type Verdict int

// The verdicts.
const (
	Block Verdict = iota // it waits, and the others wait for it
	Skip                 // it waits, and the next member has its turn
	Admit                // it goes
)

// Policy decides whether a request of some weight is admitted, given the weight that its own member
// holds and the weight that all hold. It is called under the lock of the queue and must not call
// it. Admitting others must not turn a Skip into another verdict.
type Policy func(own, all, weight int64) Verdict

// Queue divides something among members that each would take all of it.
//
// Members that wait take turns, one request each; a member's own requests are admitted in the order
// they came. A member that begins to wait has its turn after all that wait already. So until a
// member is admitted, each of the others has at most one turn, unless the policy skips it.
//
// Whenever the lock is free, each member with a request that waits is among the turns once, no
// other is, and the first of them that is not skipped is blocked.
type Queue struct {
	policy Policy

	mu    sync.Mutex
	turns []*Member // in their order
	held  int64
}

// NewQueue returns a queue without members.
func NewQueue(p Policy) *Queue { return &Queue{policy: p} }

// Held returns the weight that all members hold.
func (q *Queue) Held() int64 {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.held
}

// Waiting returns how many members wait.
func (q *Queue) Waiting() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.turns)
}

// change applies a change of the policy, and admits the requests that it makes room for.
func (q *Queue) change(what func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	what()
	q.admit()
}

// admit admits requests, one of each member in turn, until the policy blocks one.
func (q *Queue) admit() {
	for i := 0; i < len(q.turns); {
		m := q.turns[i]
		switch q.policy(m.held, q.held, m.line.First()) {
		case Block:
			return
		case Skip:
			i++
		case Admit:
			m.take(m.line.Admit())
			q.turns = slices.Delete(q.turns, i, i+1)
			if !m.line.IsEmpty() {
				q.turns = append(q.turns, m)
			}
		}
	}
}

// Member is one of those that share a [Queue]. It may be used by several goroutines.
type Member struct {
	queue *Queue
	line  Line[int64] // the lock of the queue guards what follows
	held  int64
}

// Member returns a new member.
func (q *Queue) Member() *Member { return &Member{queue: q} }

// Acquire waits for a weight of 1. Its error is that of ctx, and then nothing is taken.
func (m *Member) Acquire(ctx context.Context) error { return m.AcquireN(ctx, 1) }

// AcquireN waits for a weight. Its error is that of ctx, and then nothing is taken.
func (m *Member) AcquireN(ctx context.Context, weight int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q := m.queue
	q.mu.Lock()
	if len(q.turns) == 0 && q.policy(m.held, q.held, weight) == Admit {
		m.take(weight)
		q.mu.Unlock()
		return nil
	}
	place := m.join(weight)
	q.admit() // those before it may all be skipped
	q.mu.Unlock()
	return m.line.Wait(ctx, &q.mu, place, func(isLate bool) {
		if isLate {
			m.take(-weight)
		} else {
			m.leave()
		}
		q.admit()
	})
}

// Release gives a weight of 1 back. Releasing more than is taken is a bug, and panics.
func (m *Member) Release() { m.ReleaseN(1) }

// ReleaseN gives a weight back. Releasing more than is taken is a bug, and panics.
func (m *Member) ReleaseN(weight int64) {
	m.queue.mu.Lock()
	defer m.queue.mu.Unlock()
	if m.held < weight {
		panic("BUG: released more than was acquired")
	}
	m.take(-weight)
	m.queue.admit()
}

func (m *Member) take(weight int64) {
	m.held += weight
	m.queue.held += weight
}

// join adds a request to the member's line, and the member to the turns unless it is among them.
func (m *Member) join(weight int64) *Request[int64] {
	if m.line.IsEmpty() {
		m.queue.turns = append(m.queue.turns, m)
	}
	return m.line.Join(weight)
}

// leave removes the member from the turns when its last request has given up.
func (m *Member) leave() {
	if m.line.IsEmpty() {
		m.queue.turns = slices.DeleteFunc(m.queue.turns, func(other *Member) bool { return other == m })
	}
}
