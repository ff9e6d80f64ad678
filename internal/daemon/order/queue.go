package order

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"

	"syncd/internal/control"
	"syncd/internal/daemon/condition"
)

// QueueOptions are what the requests to one mapping depend on. All fields are required, but Desk
// where none are taken.
type QueueOptions struct {
	// Mapping is the mapping's name.
	Mapping string
	// Desk is where requests are; nil for none.
	Desk *control.Desk
	// Holder names this process to those who send requests.
	Holder string
	// Condition is how the mapping is. Pauses change it.
	Condition *condition.Condition
	// Holds reports whether the lease is held, without asking.
	Holds func() bool
	// Wake is called when there is something new to do. It may not block.
	Wake func()
	// Answer makes an answer durable, and reports whether it is.
	Answer func(ctx context.Context, r control.Request, a control.Answer) bool
	// Hint says what to do about an error, and Redact takes secrets out of a text.
	Hint   func(error) string
	Redact func(string) string
	// Logger gets what happens to requests.
	Logger *slog.Logger
}

// Queue is the requests to one mapping that have no answer yet. It is made by NewQueue.
type Queue struct {
	o QueueOptions
	// nonce tells the claims of this queue from those of others.
	nonce string
	// claiming is held while a request is claimed.
	claiming sync.Mutex
	list     list
}

// NewQueue returns an empty queue.
func NewQueue(o QueueOptions) *Queue { return &Queue{o: o, nonce: rand.Text()} }

// HasWaiting reports whether requests wait for a pass.
func (q *Queue) HasWaiting() bool { return len(q.list.waiting()) > 0 }

// Try takes note that an attempt at a pass begins, which has its chance at the requests that wait.
func (q *Queue) Try() { q.list.try() }

// IsInVain reports whether requests wait, and an attempt has had its chance at each of them.
func (q *Queue) IsInVain() bool { return q.list.isInVain() }

// standsBy reports whether another process holds the lease.
func (q *Queue) standsBy() bool { return q.o.Condition.StandsBy() && !q.o.Holds() }

// takeAndClaim reserves an order and claims it; what cannot be claimed is given back.
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

// claim makes an order this process's. It reports false where another was first, which carries it
// out.
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

// mayClaimAgain reports whether a claim of another process may be followed by one of this process.
// A pass takes the lease, which says that no other process works at it; all else is left to the
// process that has claimed it until that is likely dead.
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

// reply answers an order, now or after a later look.
func (q *Queue) reply(ctx context.Context, o *order, a control.Answer) {
	q.list.answered(o, a, q.o.Answer(ctx, o.request, a))
}
