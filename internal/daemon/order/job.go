package order

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/control"
	"syncd/internal/daemon/condition"
	"syncd/internal/syncer"
)

// ErrNothing means that there is nothing left to do: the requests were carried out by other
// processes, or withdrawn.
var ErrNothing = errors.New("nothing to do")

// Holder takes the lease of a mapping.
type Holder interface {
	// Hold takes the lease. A *store.LeaseHeldError means that another process holds it.
	Hold(ctx context.Context) error
	// Holds reports whether this process holds the lease, as far as it knows. It sends no request.
	Holds() bool
}

// Job is the work for one turn of a mapping.
type Job struct {
	// Order is the pass to run.
	Order  syncer.Order
	orders []*order
}

// Job decides what to do in this turn, and claims the requests that the job will answer. If
// requests are waiting, or this process does not hold the lease, Job first takes the lease and
// reads the mapping's requests again. The parameter trigger is the reason for a pass that was not
// requested, and byTick is whether the schedule requires a pass. h is nil if the mapping does not
// accept requests.
func (q *Queue) Job(ctx context.Context, h Holder, trigger string, byTick bool) (j Job, err error) {
	if q.o.Condition.Paused() != nil { // the mapping was paused after the pass became due
		return j, condition.ErrPaused
	}
	j.Order.Trigger = trigger
	if q.o.Desk == nil || h == nil {
		return j, nil
	}
	if q.HasWaiting() || !h.Holds() {
		err := q.prepare(ctx, h)
		if store.IsLeaseHeld(err) || errors.Is(err, condition.ErrPaused) {
			return j, err
		}
		if err != nil {
			return j, nil //nolint:nilerr // the pass will fail in the same way and report it
		}
	}
	isNeeded := q.pick(ctx, &j, byTick)
	if !byTick && !isNeeded {
		return j, ErrNothing
	}
	return j, nil
}

// prepare takes the lease and reads changes since the last search.
func (q *Queue) prepare(ctx context.Context, h Holder) error {
	if err := h.Hold(ctx); err != nil {
		return err
	}
	board, err := q.o.Desk.LookAt(ctx, q.o.Mapping)
	if err != nil {
		return err
	}
	q.list.forget(board.Open(q.o.Mapping))
	for _, c := range board.Cases {
		q.list.see(c)
	}
	q.seeMode(ctx, board.Mode(q.o.Mapping))
	if q.o.Condition.Paused() != nil {
		return condition.ErrPaused
	}
	return nil
}

// pick claims the requests that one pass answers. A pass over the source answers all requests for a
// pass; a replay answers only its own request. pick reports whether it has claimed any request.
func (q *Queue) pick(ctx context.Context, j *Job, byTick bool) bool {
	all := q.list.waiting()
	if len(all) == 0 {
		return false
	}
	first := all[0]
	isPass := byTick || first.request.What != control.Replay || first.passFirst
	var others []*order
	for _, o := range all {
		if isReplay := o.request.What == control.Replay; isReplay == isPass || isReplay && o != first {
			others = append(others, o)
			continue
		}
		if q.takeAndClaim(ctx, o) {
			j.orders = append(j.orders, o)
		}
	}
	if len(j.orders) > 0 || first.passFirst {
		j.Order.Trigger = syncer.TriggerRequest
	}
	isOn := len(j.orders) > 0 || byTick || first.passFirst
	q.list.leaveForNext(isOn, others)
	for i, o := range j.orders {
		if i == 0 {
			j.Order.Request, j.Order.By = o.request.ID, o.request.Who
		}
		j.Order.Rekey = j.Order.Rekey || o.request.What == control.Rekey
		j.Order.AllowDeletes = max(j.Order.AllowDeletes, o.request.AllowDeletes)
	}
	if !isPass && len(j.orders) > 0 {
		j.Order.Trigger = syncer.TriggerReplay
		j.Order.Replay = func(q record.Quarantined) bool { return first.request.Chooses(q.Reason, q.Key) }
	}
	wasNeeded := first.passFirst
	if isPass {
		q.list.begun(first)
	}
	return len(j.orders) > 0 || wasNeeded
}

// Finish answers the requests of a job. err is the error of the job's pass, and why is the cause
// with which its context ended. If the pass will be resumed, here or in another process, the
// requests wait until the resumed pass ends.
func (q *Queue) Finish(ctx context.Context, j Job, summary syncer.Summary, err, why error) {
	isUnfinished := errors.Is(err, syncer.ErrUnfinished)
	goesOn := store.IsLeaseHeld(err) || errors.Is(err, syncer.ErrDrained) && !errors.Is(why, condition.ErrPaused) || errors.Is(err, context.Canceled)
	for _, o := range j.orders {
		again := isUnfinished && q.list.passFirst(o)
		if again || goesOn {
			q.list.giveBack(o)
			q.list.leaveForNext(again, []*order{o})
			continue
		}
		q.reply(ctx, o, q.answerOf(o.request.What, summary, err, why))
	}
}

func (q *Queue) answerOf(what control.What, s syncer.Summary, err, why error) control.Answer {
	a := control.Answer{Outcome: control.Done, Text: fmt.Sprintf("pass %d %s: %d objects listed, %d copied, %d quarantined", s.Pass, s.Result, s.Listed, s.Copied, s.SetAside())}
	if n := s.Deleted + s.NotDeleted(); n > 0 {
		a.Text += fmt.Sprintf(", %d of %d copies deleted", s.Deleted, n)
	}
	if s.Pass == 0 {
		a.Text = "no object in quarantine matches the request: nothing was retried or written"
	}
	switch {
	case errors.Is(err, syncer.ErrDrained) && errors.Is(why, condition.ErrPaused):
		a = haltedAnswer(what)
	case err != nil:
		a.Outcome, a.Text, a.Hint = control.Failed, err.Error(), q.o.Hint(err)
	}
	if s.Pass > 0 || err == nil {
		s.Error = q.o.Redact(s.Error)
		a.Summary, _ = json.Marshal(s) //nolint:errchkjson // a Summary can always be encoded
	}
	return a
}

// GiveUp answers the waiting requests when their pass could not begin. If another process holds the
// lease, GiveUp leaves the requests to that process. h is nil if the mapping does not accept
// requests.
func (q *Queue) GiveUp(ctx context.Context, h Holder, failure error) {
	if q.o.Desk == nil || !q.HasWaiting() {
		return
	}
	if h != nil && q.prepare(ctx, h) != nil {
		return
	}
	for _, o := range q.list.waiting() {
		if q.takeAndClaim(ctx, o) {
			q.reply(ctx, o, q.answerOf(o.request.What, syncer.Summary{}, failure, nil))
		}
	}
}
