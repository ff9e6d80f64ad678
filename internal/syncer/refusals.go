package syncer

import (
	"context"
	"slices"
	"sync"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

const (
	// suspectAfter is how many objects are refused in turn, without a copy in between, before a pass tries others elsewhere. It doubles
	// with each stretch of refused keys, up to suspectMost, so that neither a long one nor many are examined again and again.
	suspectAfter = 32
	suspectMost  = 4096
)

// isShared reports whether objects are set aside for that reason because of something that may refuse all of them alike: a policy, a
// key, an identity, or a service that cannot do it, or cannot do it now.
func isShared(reason string) bool {
	return isPassing(reason) || slices.Contains([]string{
		string(awserr.Denied), string(awserr.KeyDisabled), string(awserr.NoKey), plan.BadSignature, string(awserr.Unsupported), string(awserr.Invalid),
		string(awserr.Credentials), string(awserr.Expired), string(awserr.NoBucket), string(awserr.WrongRegion),
	}, reason)
}

// isPassing reports whether a reason passes by itself.
func isPassing(reason string) bool { return awserr.Class(reason).Passes() }

// refused is an object that was refused and is not set aside yet: if everything turns out to be refused it never is, and the pass
// that resumes this one tries it again.
type refused struct {
	slot  *checkpoint.Slot
	row   record.Quarantined
	taken int // how many actions the walk had taken
}

// refusals are the objects that were refused in turn.
type refusals struct {
	mu      sync.Mutex
	copies  int64 // that have begun
	since   int64 // how many had when the first of these was refused
	inTurn  int   // refused since the last copy
	limit   int   // at which others are tried elsewhere, 0 for suspectAfter
	held    []refused
	judging chan struct{}  // closed when it is decided that not all is refused; nil when nothing is to be
	broken  bool           // a copy was made meanwhile
	over    bool           // all is refused: the pass ends
	taken   int            // actions of the walk
	last    string         // key of the last one
	witness listing.Object // the last object of which the destination has a copy
}

// begin numbers a copy.
func (r *refusals) begin() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.copies++
	return r.copies
}

// take notes how far the walk has come, and returns the objects that were held for longer than the ledger's window bears: it keeps
// every key from the first of them on in memory.
func (r *refusals) take(key string, patience int) []refused {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken++
	r.last = key
	if len(r.held) == 0 || r.judging != nil || r.taken-r.held[0].taken < patience {
		return nil
	}
	return r.letGo()
}

// letGo returns what is held. The caller holds r.mu.
func (r *refusals) letGo() []refused {
	held := r.held
	r.held = nil
	return held
}

// unchanged notes an object that was copied by an earlier pass.
func (r *refusals) unchanged(o listing.Object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.witness = o
}

// copied notes a copy, and returns what is held: it was not refused with everything else. A copy that began before the first of
// these was refused shows nothing.
func (r *refusals) copied(number int64, o listing.Object) []refused {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.witness = o
	if r.over || r.inTurn > 0 && number <= r.since {
		return nil
	}
	r.inTurn, r.broken = 0, true
	return r.letGo()
}

// add holds an object that was refused. It reports whether the caller must decide whether all is refused, and then call judged.
func (r *refusals) add(slot *checkpoint.Slot, row record.Quarantined) (mustJudge bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.inTurn == 0 {
		r.since = r.copies
	}
	r.inTurn++
	r.held = append(r.held, refused{slot, row, r.taken})
	if r.judging != nil || r.inTurn < max(r.limit, suspectAfter) {
		return false
	}
	r.judging, r.broken = make(chan struct{}), false
	return true
}

// wait waits while it is being decided whether all is refused: what is sent meanwhile would be too.
func (r *refusals) wait(ctx context.Context) error {
	r.mu.Lock()
	judging := r.judging
	r.mu.Unlock()
	if judging == nil {
		return nil
	}
	select {
	case <-judging:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// judged ends the decision. It returns what is held unless all is refused, which a copy that was made meanwhile disproves. If all is,
// whoever waits goes on waiting until the pass has ended.
func (r *refusals) judged(all bool) (really bool, held []refused) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over = all && !r.broken; r.over {
		return true, nil
	}
	close(r.judging)
	r.judging = nil
	r.limit = min(2*max(r.limit, suspectAfter), suspectMost)
	r.inTurn = 0
	return false, r.letGo()
}

// turn returns how many objects were refused in turn, how far the walk has come, and an object that was not refused.
func (r *refusals) turn() (inTurn int, last string, witness listing.Object) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.inTurn, r.last, r.witness
}

// all returns what is still held.
func (r *refusals) all() []refused {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.letGo()
}

// holdFor is how many actions the walk may take while an object is held: half of the ledger's window, and no more than the plan is
// ahead.
func (p *pass) holdFor() int {
	if window := p.o.Ledger.Window; window > 0 {
		return min(window/2, planAhead)
	}
	return planAhead
}

// refuse holds an object that was refused. The one with which it becomes likely that all is refused decides whether that is so: then
// the error is a *RefusedError, and nothing of what is held is settled.
func (p *pass) refuse(ctx context.Context, slot *checkpoint.Slot, a plan.Action, row record.Quarantined, cause error) error {
	if !p.refusals.add(slot, row) {
		return nil
	}
	verdict, err := p.judge(ctx, a, cause)
	all, held := p.refusals.judged(verdict != nil && err == nil)
	p.release(held)
	if all {
		return verdict
	}
	return err
}

// release sets objects aside that were held.
func (p *pass) release(held []refused) {
	for _, r := range held {
		p.setAside(r.slot, r.row)
		p.backlog.settle(r.row.Key)
	}
}
