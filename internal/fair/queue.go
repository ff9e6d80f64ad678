package fair

import (
	"context"
	"slices"
	"sync"
)

// Verdict is the decision about the first request of a member.
type Verdict int

// The verdicts.
const (
	Block Verdict = iota // the request waits, and so do all members that come after its member
	Skip                 // the request waits, and the policy decides about the next member
	Admit                // the request is admitted
)

// Policy decides whether to admit a request of the given weight. Own is the weight that the
// request's member has acquired, and all is the weight that all members have acquired together. The
// queue calls the policy with its lock held, so the policy must not call the queue. A request that
// the policy skips must still be skipped after other requests are admitted.
type Policy func(own, all, weight int64) Verdict

// Queue divides a resource among members, each of which could use all of it.
//
// Waiting members take turns, one request each; the requests of one member are admitted in the
// order of their arrival. A member that starts to wait comes after all members that already wait.
// So until a waiting member is admitted, each other member has at most one turn, unless the policy
// skips the waiting member.
//
// Invariant while the lock is free: turns contains each member with a waiting request exactly once,
// and no other member. The policy blocks the first of these members that it does not skip.
type Queue struct {
	policy Policy

	mu    sync.Mutex
	turns []*Member // members with waiting requests, in order
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

// change calls what, which changes how the policy decides, and then admits requests under the
// changed policy.
func (q *Queue) change(what func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	what()
	q.admit()
}

// admit admits requests, one per member in turn, until the policy blocks one.
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

// Member is a user of a shared [Queue]. It is safe for concurrent use.
type Member struct {
	queue *Queue
	line  Line[int64] // guarded by the lock of the queue, which also guards held
	held  int64
}

// Member returns a new member.
func (q *Queue) Member() *Member { return &Member{queue: q} }

// Acquire acquires a weight of 1, and waits until it is available. If ctx ends first, Acquire
// returns the error of ctx and acquires nothing.
func (m *Member) Acquire(ctx context.Context) error { return m.AcquireN(ctx, 1) }

// AcquireN acquires a weight, and waits until it is available. If ctx ends first, AcquireN returns
// the error of ctx and acquires nothing.
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
	q.admit() // if the policy skips all members before m, m need not wait
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

// Release returns a weight of 1. It panics if the member holds less, which is a bug.
func (m *Member) Release() { m.ReleaseN(1) }

// ReleaseN returns a weight. It panics if the member holds less, which is a bug.
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

// join adds a request to the member's line. If the member is not yet in turns, join adds it at the
// end.
func (m *Member) join(weight int64) *Request[int64] {
	if m.line.IsEmpty() {
		m.queue.turns = append(m.queue.turns, m)
	}
	return m.line.Join(weight)
}

// leave removes the member from the turns if its last request has given up.
func (m *Member) leave() {
	if m.line.IsEmpty() {
		m.queue.turns = slices.DeleteFunc(m.queue.turns, func(other *Member) bool { return other == m })
	}
}
