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
	// isWorking says that the pass for it is running; answer is what is still to be written of its answer, nil for nothing.
	isWorking bool
	answer    *control.Answer
	// passFirst says that a replay waits for a pass that was interrupted, which is finished first; that is tried once.
	passFirst, wasFirst bool
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

// seePause takes note of whether the mapping is paused in the state.
func (k *keeper) seePause(ctx context.Context, isPaused bool) {
	k.mu.Lock()
	was := k.paused
	k.mu.Unlock()
	if isPaused == (was != nil) {
		return
	}
	if !isPaused {
		k.setPaused(nil)
		return
	}
	paused, isPaused, err := k.d.o.Control.PausedOf(ctx, k.m.Name)
	if err != nil {
		paused, isPaused = control.Paused{Mapping: k.m.Name}, true // the listing says so
	}
	if isPaused {
		k.setPaused(&paused)
	}
}

// setPaused pauses the mapping, or resumes it for nil. A pass in progress drains.
func (k *keeper) setPaused(p *control.Paused) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if (p == nil) == (k.paused == nil) {
		return
	}
	k.paused, k.standing, k.held = p, false, nil // nobody stands by for a pass that does not come
	value := 0.0
	if p != nil {
		value = 1
		k.log.Info("mapping paused", "who", p.Who, "since", p.At)
		if k.halt != nil {
			k.halt(errPaused)
		}
	} else {
		k.log.Info("mapping resumed")
	}
	k.d.o.Metrics.Paused.WithLabelValues(k.m.Name).Set(value)
	if !k.running {
		k.since = k.d.o.Now()
	}
	k.wakeUp()
}

func (k *keeper) isPaused() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.paused != nil
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
	k.passed = false
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
	case o.answer != nil && !o.isWorking:
		k.mu.Unlock()
		k.reply(ctx, o, *o.answer)
		return
	case k.find(c.ID) == nil:
		k.orders = append(k.orders, o)
		fallthrough
	default:
		k.mu.Unlock()
	}
	switch what, isPaused := o.request.What, k.isPaused(); {
	case what == control.Pause || what == control.Resume:
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

// carryOut pauses or resumes the mapping, which takes no lease.
func (k *keeper) carryOut(ctx context.Context, o *order) {
	if !k.claim(ctx, o) {
		return
	}
	k.mu.Lock()
	was, isRunning := k.paused, k.running
	k.mu.Unlock()
	text, err := "", error(nil)
	switch isPause := o.request.What == control.Pause; {
	case isPause && was != nil:
		text = "it was paused already: " + was.String()
	case isPause:
		var paused control.Paused
		if paused, err = k.d.o.Control.Pause(ctx, o.request); err == nil {
			k.setPaused(&paused)
		}
		if text = "paused"; isRunning {
			text = "paused; the pass in progress saves what it has done and ends"
		}
	case was == nil:
		text = "it was not paused"
	default:
		if err = k.d.o.Control.Resume(ctx, k.m.Name); err == nil {
			k.setPaused(nil)
		}
		text = "resumed"
	}
	if err != nil {
		k.reply(ctx, o, control.Answer{Outcome: control.Failed, Text: err.Error(), Hint: k.d.o.Hint(err)})
		return
	}
	k.reply(ctx, o, control.Answer{Outcome: control.Done, Text: text})
}

// refuse refuses a pass of a paused mapping.
func (k *keeper) refuse(ctx context.Context, o *order) {
	k.mu.Lock()
	paused := k.paused
	k.mu.Unlock()
	if paused == nil || !k.claim(ctx, o) {
		return
	}
	k.reply(ctx, o, control.Answer{
		Outcome: control.Refused, Text: "the mapping is " + paused.String(), Hint: "run `syncd resume` first, or `syncd backfill` for one pass now",
	})
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
		if o.answer == nil && o.request.What != control.Pause && o.request.What != control.Resume {
			waiting = append(waiting, o)
		}
	}
	return waiting
}
