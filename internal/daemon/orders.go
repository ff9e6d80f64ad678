package daemon

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"syncd/internal/control"
)

// order is a request that a keeper knows of and that has no answer yet.
type order struct {
	request control.Request
	// claims is the number of the last claim that was seen, isClaimed says that the last one is this keeper's.
	claims    int
	isClaimed bool
	// isWorking says that a goroutine carries it out or answers it; answer is what is still to be written of its answer, nil for nothing.
	isWorking bool
	answer    *control.Answer
	// passFirst says that a replay waits for a pass that was interrupted, which is finished first; that is tried once.
	passFirst, wasFirst bool
	// wasTried says that it waited when the last attempt began, which had its chance to carry it out.
	wasTried bool
}

// worker returns what carries requests out, nil while the mapping was not opened. The caller does not hold k.mu.
func (k *keeper) worker() Worker {
	k.mu.Lock()
	defer k.mu.Unlock()
	w, _ := k.runner.(Worker)
	return w
}

func (k *keeper) holds() bool {
	w := k.worker()
	return w != nil && w.Holds()
}

// wakeUp has the keeper look for what there is to do.
func (k *keeper) wakeUp() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// release gives the lease up while it is not needed: one who runs a pass of a paused mapping, or of one without a schedule, gets it.
func (k *keeper) release() {
	if !k.holds() {
		return
	}
	if err := k.close(); err != nil {
		k.log.Warn("lease was not given back", "err", err)
	}
}

// forgetOthers forgets orders that wait for no answer any more.
func (k *keeper) forgetOthers(open []control.Case) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.orders = slices.DeleteFunc(k.orders, func(o *order) bool {
		return !o.isWorking && !slices.ContainsFunc(open, func(c control.Case) bool { return c.ID == o.request.ID })
	})
}

// find returns the order of that id, nil for none. The caller holds k.mu.
func (k *keeper) find(id string) *order {
	for _, o := range k.orders {
		if o.request.ID == id {
			return o
		}
	}
	return nil
}

func (k *keeper) hasClaimed(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	o := k.find(id)
	return o != nil && o.isClaimed
}

// standsBy reports whether another process holds the lease.
func (k *keeper) standsBy() bool {
	k.mu.Lock()
	standing := k.standing
	k.mu.Unlock()
	return standing && !k.holds()
}

// see takes note of a request. Those who only stand by leave it to the holder of the lease.
func (k *keeper) see(ctx context.Context, c control.Case, standsBy bool) {
	k.mu.Lock()
	o := k.find(c.ID)
	if o != nil && !o.isClaimed {
		o.claims = max(o.claims, c.Claims)
	}
	k.mu.Unlock()
	if standsBy {
		return
	}
	if o == nil {
		o = k.read(ctx, c)
	}
	if o == nil {
		return
	}
	switch k.mu.Lock(); {
	case o.isWorking: // it has its answer from there
		k.mu.Unlock()
		return
	case o.answer != nil:
		k.mu.Unlock()
		k.reply(ctx, o, *o.answer)
		return
	case k.find(c.ID) == nil:
		k.orders = append(k.orders, o)
		fallthrough
	default:
		k.mu.Unlock()
	}
	switch isPaused := k.isPaused(); {
	case o.request.What.IsMode():
		k.carryOut(ctx, o)
	case isPaused:
		k.refuse(ctx, o)
	case k.holds():
		k.claim(ctx, o)
		k.wakeUp()
	default:
		k.wakeUp()
	}
}

// read reads a request, and refuses one that is malformed.
func (k *keeper) read(ctx context.Context, c control.Case) *order {
	r, err := k.d.o.Control.Request(ctx, c.Mapping, c.ID)
	_, isMalformed := errors.AsType[*control.MalformedError](err)
	switch {
	case err == nil:
		return &order{request: r, claims: c.Claims}
	case isMalformed:
		bad := control.Request{ID: c.ID, Mapping: c.Mapping, What: "unknown", Who: "unknown", At: c.At}
		k.d.answer(ctx, bad, control.Answer{Outcome: control.Refused, Text: err.Error(), Hint: "send requests with the syncd of this version"})
	case !errors.Is(err, fs.ErrNotExist):
		k.log.Warn("request was not read", "id", c.ID, "err", err)
	}
	return nil
}

// take reserves an order for the caller, who answers it or gives it back. It reports false for one that another goroutine has, or has answered:
// an order has one answer.
func (k *keeper) take(o *order) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if o.isWorking || o.answer != nil {
		return false
	}
	o.isWorking = true
	return true
}

// takeAndClaim is take and claim; what cannot be claimed is given back.
func (k *keeper) takeAndClaim(ctx context.Context, o *order) bool {
	if !k.take(o) {
		return false
	}
	isOwn := k.claim(ctx, o)
	if !isOwn {
		k.giveBack(o)
	}
	return isOwn
}

func (k *keeper) giveBack(o *order) {
	k.mu.Lock()
	defer k.mu.Unlock()
	o.isWorking = false
}

// claim makes an order this process's. It reports false where another was first, which carries it out.
func (k *keeper) claim(ctx context.Context, o *order) bool {
	k.claiming.Lock()
	defer k.claiming.Unlock()
	k.mu.Lock()
	isClaimed, n := o.isClaimed, o.claims+1
	k.mu.Unlock()
	if isClaimed {
		return true
	}
	if n > 1 && !k.mayClaimAgain(ctx, o, n-1) {
		return false
	}
	isOwn, err := k.d.o.Control.Claim(ctx, o.request, n, control.Claim{By: k.d.o.Holder, Nonce: k.nonce})
	if err != nil {
		k.log.Warn("request was not claimed", "id", o.request.ID, "err", err)
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	o.isClaimed, o.claims = isOwn, n
	if isOwn {
		r := o.request
		k.log.Info("request accepted", "id", r.ID, "what", r.What, "who", r.Who, "asked_at", r.At, "claims", n)
	}
	return isOwn
}

// mayClaimAgain reports whether a claim of another process may be followed by one of this process. A pass takes the lease, which says
// that no other process works at it; all else is left to the process that has claimed it until that is likely dead.
func (k *keeper) mayClaimAgain(ctx context.Context, o *order, before int) bool {
	if k.holds() && !o.request.What.IsMode() {
		return true
	}
	isAbandoned, err := k.d.o.Control.IsAbandoned(ctx, o.request, before)
	if err != nil {
		k.log.Warn("request was not claimed", "id", o.request.ID, "err", err)
	}
	return err == nil && isAbandoned
}

// reply answers an order, now or after a later look.
func (k *keeper) reply(ctx context.Context, o *order, a control.Answer) {
	isAnswered := k.d.answer(ctx, o.request, a)
	k.mu.Lock()
	defer k.mu.Unlock()
	o.isWorking, o.answer = false, &a
	if isAnswered {
		k.orders = slices.DeleteFunc(k.orders, func(other *order) bool { return other == o })
	}
}

// restUntilAsked gives up what a mapping has no use for while no pass of it is due.
func (k *keeper) restUntilAsked() {
	k.release()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.standing {
		k.standing, k.held, k.since = false, nil, k.d.o.Now()
	}
}

// waitingOrders returns the orders that wait for a pass.
func (k *keeper) waitingOrders() (waiting []*order) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, o := range k.orders {
		if o.answer == nil && !o.request.What.IsMode() {
			waiting = append(waiting, o)
		}
	}
	return waiting
}

// tryOrders takes note that an attempt begins, which has its chance at the orders that wait.
func (k *keeper) tryOrders() {
	waiting := k.waitingOrders()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, o := range waiting {
		o.wasTried = true
	}
}

// leaveForNext takes note that orders had no chance in this attempt, but have one in the next.
func (k *keeper) leaveForNext(isOn bool, orders []*order) {
	if !isOn {
		return // nothing is done in this attempt: the next would do as little
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, o := range orders {
		o.wasTried = false
	}
}

// isInVain reports whether orders wait, and an attempt has had its chance at each of them. One that came during a pass is carried out
// right after it.
func (k *keeper) isInVain() bool {
	waiting := k.waitingOrders()
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(waiting) > 0 && !slices.ContainsFunc(waiting, func(o *order) bool { return !o.wasTried })
}
