package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/control"
	"syncd/internal/syncer"
)

// job is what is done in one turn of a mapping.
type job struct {
	order  syncer.Order
	worker Worker // nil: a Runner that knows no orders
	orders []*order
}

// errNothing says that there is nothing to do any more: others have done it, or it was taken back.
var errNothing = errors.New("nothing to do")

// job decides what is done now, and claims the orders that it answers. The lease is taken before anything is claimed, and what the state
// says is looked at where others could have changed it.
func (k *keeper) job(ctx context.Context, runner Runner, byTick bool) (j job, err error) {
	if k.isPaused() { // since the pass was found due
		return j, errPaused
	}
	j.order.Trigger = k.trigger()
	j.worker, _ = runner.(Worker)
	if k.d.o.Control == nil || j.worker == nil {
		return j, nil
	}
	if waiting := k.waitingOrders(); len(waiting) > 0 || !j.worker.Holds() {
		err := k.prepare(ctx, j.worker)
		if store.IsLeaseHeld(err) || errors.Is(err, errPaused) {
			return j, err
		}
		if err != nil {
			return j, nil //nolint:nilerr // the pass meets the same failure, and reports it
		}
	}
	isNeeded := k.pick(ctx, &j, byTick)
	if !byTick && !isNeeded {
		return j, errNothing
	}
	return j, nil
}

// prepare takes the lease and looks for what has changed since the last look.
func (k *keeper) prepare(ctx context.Context, w Worker) error {
	if err := w.Hold(ctx); err != nil {
		return err
	}
	board, err := k.d.o.Control.LookAt(ctx, k.m.Name)
	if err != nil {
		return err
	}
	k.forgetOthers(board.Open(k.m.Name))
	k.mu.Lock()
	for _, c := range board.Cases {
		if o := k.find(c.ID); o != nil && !o.isClaimed {
			o.claims = max(o.claims, c.Claims)
		}
	}
	k.mu.Unlock()
	k.seePause(ctx, board.Mode(k.m.Name))
	if k.isPaused() {
		return errPaused
	}
	return nil
}

// pick claims what is done together: a pass over the source answers every request for one, a replay only its own. It reports whether
// there is anything to do for requests.
func (k *keeper) pick(ctx context.Context, j *job, byTick bool) bool {
	all := k.waitingOrders()
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
		if k.takeAndClaim(ctx, o) {
			j.orders = append(j.orders, o)
		}
	}
	if len(j.orders) > 0 || first.passFirst {
		j.order.Trigger = syncer.TriggerRequest
	}
	isOn := len(j.orders) > 0 || byTick || first.passFirst
	k.leaveForNext(isOn, others)
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, o := range j.orders {
		if i == 0 {
			j.order.Request, j.order.By = o.request.ID, o.request.Who
		}
		j.order.Rekey = j.order.Rekey || o.request.What == control.Rekey
	}
	if !isPass && len(j.orders) > 0 {
		j.order.Trigger = syncer.TriggerReplay
		j.order.Replay = func(q record.Quarantined) bool { return first.request.Chooses(q.Reason, q.Key) }
	}
	wasNeeded := first.passFirst
	if isPass {
		first.passFirst = false
	}
	return len(j.orders) > 0 || wasNeeded
}

// settle answers the orders of a job. Those of a pass that goes on, here or in another process, wait for its end.
func (k *keeper) settle(ctx context.Context, j job, summary syncer.Summary, err, why error) {
	isUnfinished := errors.Is(err, syncer.ErrUnfinished)
	isKept := store.IsLeaseHeld(err) || errors.Is(err, syncer.ErrDrained) && !errors.Is(why, errPaused) || errors.Is(err, context.Canceled)
	for _, o := range j.orders {
		k.mu.Lock()
		again := isUnfinished && !o.wasFirst
		if again {
			o.passFirst, o.wasFirst = true, true
		}
		k.mu.Unlock()
		if again || isKept {
			k.giveBack(o)
			k.leaveForNext(again, []*order{o})
			continue
		}
		k.reply(ctx, o, k.answerOf(o.request.What, summary, err, why))
	}
}

func (k *keeper) answerOf(what control.What, s syncer.Summary, err, why error) control.Answer {
	a := control.Answer{Outcome: control.Done, Text: fmt.Sprintf("pass %d %s: %d objects listed, %d copied, %d quarantined", s.Pass, s.Result, s.Listed, s.Copied, s.SetAside())}
	if s.Pass == 0 {
		a.Text = "nothing in quarantine is what was asked for: nothing was tried and nothing was written"
	}
	switch {
	case errors.Is(err, syncer.ErrDrained) && errors.Is(why, errPaused):
		a = haltedAnswer(what)
	case err != nil:
		a.Outcome, a.Text, a.Hint = control.Failed, err.Error(), k.d.o.Hint(err)
	}
	if s.Pass > 0 || err == nil {
		s.Error = k.d.redact.text(s.Error)
		a.Summary, _ = json.Marshal(s) //nolint:errchkjson // it has nothing that JSON cannot hold
	}
	return a
}

// giveUp answers the orders whose passes could not begin, unless another process has the lease: then they are for that one.
func (k *keeper) giveUp(ctx context.Context, runner Runner, failure error) {
	if k.d.o.Control == nil || len(k.waitingOrders()) == 0 {
		return
	}
	if w, ok := runner.(Worker); ok && k.prepare(ctx, w) != nil {
		return
	}
	for _, o := range k.waitingOrders() {
		if k.takeAndClaim(ctx, o) {
			k.reply(ctx, o, k.answerOf(o.request.What, syncer.Summary{}, failure, nil))
		}
	}
}
