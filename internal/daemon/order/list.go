package order

import (
	"slices"
	"sync"

	"syncd/internal/control"
)

// order is a request to a mapping that has no answer yet. Its list guards what changes of it.
type order struct {
	request control.Request
	// claims is the number of the last claim that was seen, isClaimed says that the last one is
	// this process's.
	claims    int
	isClaimed bool
	// isWorking says that a goroutine carries it out or answers it; answer is what is still to be
	// written of its answer, nil for nothing.
	isWorking bool
	answer    *control.Answer
	// passFirst says that a replay waits for a pass that was interrupted, which is finished first;
	// that is tried once.
	passFirst, wasFirst bool
	// wasTried says that it waited when the last attempt began, which had its chance to carry it
	// out.
	wasTried bool
}

// list is the orders of a mapping, in the order they came.
type list struct {
	mu     sync.Mutex
	orders []*order
}

// find returns the order of that id, nil for none. The caller holds l.mu.
func (l *list) find(id string) *order {
	for _, o := range l.orders {
		if o.request.ID == id {
			return o
		}
	}
	return nil
}

// see returns the order of a case, nil for none, with the claims that others have made.
func (l *list) see(c control.Case) *order {
	l.mu.Lock()
	defer l.mu.Unlock()
	o := l.find(c.ID)
	if o != nil && !o.isClaimed {
		o.claims = max(o.claims, c.Claims)
	}
	return o
}

// add adds the order of that id where it is new and not yet known. It reports false for one that is
// being carried out, and returns the answer of one that only has to be written.
func (l *list) add(id string, o *order) (isOpen bool, answer *control.Answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case o.isWorking: // it has its answer from there
		return false, nil
	case o.answer != nil:
		return false, o.answer
	case l.find(id) == nil:
		l.orders = append(l.orders, o)
	}
	return true, nil
}

// forget forgets orders that wait for no answer any more.
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

// claimed returns whether the last claim is this process's, and how many claims were seen.
func (l *list) claimed(o *order) (isOwn bool, claims int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return o.isClaimed, o.claims
}

// claim takes note of a claim.
func (l *list) claim(o *order, isOwn bool, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o.isClaimed, o.claims = isOwn, n
}

// take reserves an order for the caller, who answers it or gives it back. It reports false for one
// that another goroutine has, or has answered: an order has one answer.
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

// answered takes note of an answer, and forgets the order once that is durable.
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

// try takes note that an attempt begins, which has its chance at the orders that wait.
func (l *list) try() {
	waiting := l.waiting()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range waiting {
		o.wasTried = true
	}
}

// leaveForNext takes note that orders had no chance in this attempt, but have one in the next.
func (l *list) leaveForNext(isOn bool, orders []*order) {
	if !isOn {
		return // nothing is done in this attempt: the next would do as little
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range orders {
		o.wasTried = false
	}
}

// passFirst has an order wait for a pass that is finished first. It reports false where that was
// tried.
func (l *list) passFirst(o *order) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if o.wasFirst {
		return false
	}
	o.passFirst, o.wasFirst = true, true
	return true
}

// begun takes note that the pass that an order waits for is run.
func (l *list) begun(o *order) {
	l.mu.Lock()
	defer l.mu.Unlock()
	o.passFirst = false
}

// isInVain reports whether orders wait, and an attempt has had its chance at each of them. One that
// came during a pass is carried out right after it.
func (l *list) isInVain() bool {
	waiting := l.waiting()
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(waiting) > 0 && !slices.ContainsFunc(waiting, func(o *order) bool { return !o.wasTried })
}
