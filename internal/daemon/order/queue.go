package order

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"

	"syncd/internal/control"
	"syncd/internal/daemon/condition"
)

// QueueOptions are the settings of a Queue. All fields are required except Desk.
type QueueOptions struct {
	// Mapping is the mapping's name.
	Mapping string
	// Desk reads and writes the requests in the state. If it is nil, no requests are accepted.
	Desk *control.Desk
	// Holder identifies this process in replies to requests.
	Holder string
	// Condition is the condition of the mapping. Pauses change it.
	Condition *condition.Condition
	// Holds reports whether this process holds the lease. It sends no request.
	Holds func() bool
	// Wake is called when the mapping may have something to do. It must not block.
	Wake func()
	// Answer stores an answer, and reports whether it is durable.
	Answer func(ctx context.Context, r control.Request, a control.Answer) bool
	// Hint returns what to do about an error, and Redact removes secrets from a text.
	Hint   func(error) string
	Redact func(string) string
	// Logger logs the handling of requests.
	Logger *slog.Logger
}

// Queue contains the requests to one mapping that have no answer yet. Create it with NewQueue.
type Queue struct {
	o QueueOptions
	// nonce distinguishes the claims of this queue from the claims of other processes.
	nonce string
	// claiming is held while a request is claimed.
	claiming sync.Mutex
	list     list
}

// NewQueue returns an empty queue.
func NewQueue(o QueueOptions) *Queue { return &Queue{o: o, nonce: rand.Text()} }

// HasWaiting reports whether requests wait for a pass.
func (q *Queue) HasWaiting() bool { return len(q.list.waiting()) > 0 }

// Try records the start of an attempt to run a pass, which can carry out the waiting requests.
func (q *Queue) Try() { q.list.try() }

// IsInVain reports whether requests wait although an attempt could have carried out each of them.
func (q *Queue) IsInVain() bool { return q.list.isInVain() }

// standsBy reports whether another process holds the lease.
func (q *Queue) standsBy() bool { return q.o.Condition.StandsBy() && !q.o.Holds() }

// takeAndClaim reserves and claims an order. If the claim fails, it gives the order back.
func (q *Queue) takeAndClaim(ctx context.Context, o *order) bool {
	if !q.list.take(o) {
		return false
	}
	isOwn := q.claim(ctx, o)
	if !isOwn {
		q.list.giveBack(o)
	}
	return isOwn
}

// claim claims an order for this process. It returns false if another process has claimed it first
// and carries it out.
func (q *Queue) claim(ctx context.Context, o *order) bool {
	q.claiming.Lock()
	defer q.claiming.Unlock()
	isClaimed, claims := q.list.claimed(o)
	if isClaimed {
		return true
	}
	n := claims + 1
	if n > 1 && !q.mayClaimAgain(ctx, o, n-1) {
		return false
	}
	isOwn, err := q.o.Desk.Claim(ctx, o.request, n, control.Claim{By: q.o.Holder, Nonce: q.nonce})
	if err != nil {
		q.o.Logger.Warn("request was not claimed", "id", o.request.ID, "err", err)
		return false
	}
	q.list.claim(o, isOwn, n)
	if isOwn {
		r := o.request
		q.o.Logger.Info("request accepted", "id", r.ID, "what", r.What, "who", r.Who, "asked_at", r.At, "claims", n)
	}
	return isOwn
}

// mayClaimAgain reports whether this process may claim an order that another process has claimed.
// If the order needs a pass, holding the lease proves that no other process is working on it.
// Otherwise the order is left to the other process until that process is presumed dead.
func (q *Queue) mayClaimAgain(ctx context.Context, o *order, before int) bool {
	if q.o.Holds() && !o.request.What.IsMode() {
		return true
	}
	isAbandoned, err := q.o.Desk.IsAbandoned(ctx, o.request, before)
	if err != nil {
		q.o.Logger.Warn("request was not claimed", "id", o.request.ID, "err", err)
	}
	return err == nil && isAbandoned
}

// reply answers an order. If the answer cannot be written now, it is written after a later search.
func (q *Queue) reply(ctx context.Context, o *order, a control.Answer) {
	q.list.answered(o, a, q.o.Answer(ctx, o.request, a))
}
