package order

import (
	"slices"
	"sync"

	"syncd/internal/control"
)

// order is a request to a mapping that has no answer yet. The mutex of its list guards its mutable
// fields.
type order struct {
	request control.Request
	// claims is the number of the last known claim. isClaimed is whether that claim is from this
	// process.
	claims    int
	isClaimed bool
	// isWorking means that a goroutine is carrying out or answering the order. answer is an answer
	// that must still be written, or nil.
	isWorking bool
	answer    *control.Answer
	// passFirst means that the order is a replay that waits until another pass has finished an
	// interrupted pass. A replay waits for only one such pass; wasFirst means that it has waited or
	// is waiting.
	passFirst, wasFirst bool
	// wasTried means that the order was waiting when the last attempt began, so the attempt could
	// have carried it out.
	wasTried bool
}

// list contains the orders of a mapping, oldest first.
type list struct {
	mu     sync.Mutex
	orders []*order
}

// find returns the order with the ID, or nil. The caller holds l.mu.
func (l *list) find(id string) *order {
	for _, o := range l.orders {
		if o.request.ID == id {
			return o
		}
	}
	return nil
}

// see returns the order of a case, or nil if the list does not contain it. It updates the order's
// number of claims by other processes.
func (l *list) see(c control.Case) *order {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.find(c.ID)
	if o != nil && !o.isClaimed {
		o.claims = max(o.claims, c.Claims)
	}
	return o
}

// add adds the order with the ID if it is not in the list. isOpen is false if the order is being
// carried out. If the order has an answer that must still be written, add returns the answer.
func (l *list) add(id string, o *order) (isOpen bool, answer *control.Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case o.isWorking: // its goroutine answers it
		return false, nil
	case o.answer != nil:
		return false, o.answer
	case l.find(id) == nil:
		l.orders = append(l.orders, o)
	}
	return true, nil
}

// forget removes the orders that no longer wait for an answer.
func (l *list) forget(open []control.Case) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.orders = slices.DeleteFunc(l.orders, func(o *order) bool {
		return !o.isWorking && !slices.ContainsFunc(open, func(c control.Case) bool { return c.ID == o.request.ID })
	})
}

func (l *list) hasClaimed(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.find(id)
	return o != nil && o.isClaimed
}

// claimed reports whether the last claim is from this process, and returns the number of claims.
func (l *list) claimed(o *order) (isOwn bool, claims int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return o.isClaimed, o.claims
}

// claim records a claim.
func (l *list) claim(o *order, isOwn bool, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o.isClaimed, o.claims = isOwn, n
}

// take reserves an order for the caller, who must answer it or give it back. It returns false if
// another goroutine has reserved or answered the order, because an order has only one answer.
func (l *list) take(o *order) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if o.isWorking || o.answer != nil {
		return false
	}
	o.isWorking = true
	return true
}

func (l *list) giveBack(o *order) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o.isWorking = false
}

// answered records an answer, and removes the order once the answer is durable.
func (l *list) answered(o *order, a control.Answer, isDurable bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o.isWorking, o.answer = false, &a
	if isDurable {
		l.orders = slices.DeleteFunc(l.orders, func(other *order) bool { return other == o })
	}
}

// waiting returns the orders that wait for a pass.
func (l *list) waiting() (waiting []*order) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.orders {
		if o.answer == nil && !o.request.What.IsMode() {
			waiting = append(waiting, o)
		}
	}
	return waiting
}

// try records the start of an attempt to run a pass, which can carry out the waiting orders.
func (l *list) try() {
	waiting := l.waiting()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range waiting {
		o.wasTried = true
	}
}

// leaveForNext records that this attempt could not carry out the orders but that the next attempt
// can. It does nothing if isOn is false.
func (l *list) leaveForNext(isOn bool, orders []*order) {
	if !isOn {
		return // the next attempt would not carry out the orders either
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range orders {
		o.wasTried = false
	}
}

// passFirst makes an order wait for a pass that finishes an interrupted pass. It returns false if
// such a pass was already tried.
func (l *list) passFirst(o *order) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if o.wasFirst {
		return false
	}
	o.passFirst, o.wasFirst = true, true
	return true
}

// begun records that the pass for which an order waits has begun.
func (l *list) begun(o *order) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o.passFirst = false
}

// isInVain reports whether orders wait although an attempt could have carried out each of them. If
// an order arrived during the last attempt, isInVain returns false, because the next attempt can
// carry out that order.
func (l *list) isInVain() bool {
	waiting := l.waiting()
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(waiting) > 0 && !slices.ContainsFunc(waiting, func(o *order) bool { return !o.wasTried })
}
