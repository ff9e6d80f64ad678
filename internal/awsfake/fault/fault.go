// Package fault is misbehaviour on purpose.
//
// It promises to hit the requests that a [Fault] chooses, as often as it says, and to answer in the
// place of the service, or to change the service's answer, as its [Kind] says. It knows requests
// only as a [Target]; package core asks it before and after a request is served.
//
// Words to know. A fault is armed while it is hung on requests; a lie is an answer that is not
// true, or not the service's.
package fault

import (
	"slices"
	"sync"
)

// Fault is a misbehaviour hung on the requests that match it.
type Fault struct {
	// Operation, Bucket and Key choose the requests; "" is any, and Key is the exact key (of a
	// copy: the destination's).
	Operation, Bucket, Key string
	// Skip matches pass untouched; then Times matches are hit (0: all that follow).
	Skip, Times int
	// Probability, when it is between 0 and 1, hits that share of the matches.
	Probability float64
	Kind        Kind
	// Do runs before the request is served, for instance to overwrite the object that is about to
	// be copied.
	Do func()
}

// Faults are those that are hung on the requests of a cloud.
type Faults struct {
	mu     sync.Mutex
	armed  []*armedFault
	stored map[string]stored // by operation
}

type armedFault struct {
	Fault
	matched, hit int
}

// Inject hangs a fault on the requests to come, until remove is called.
func (f *Faults) Inject(fault Fault) (remove func()) {
	armed := &armedFault{Fault: fault}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.armed = append(f.armed, armed)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.armed = slices.DeleteFunc(f.armed, func(a *armedFault) bool { return a == armed })
	}
}

// Hitting returns the faults that hit this request, and counts them as spent.
func (f *Faults) Hitting(t Target, chance func() float64) (hits []Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.armed {
		if a.hits(t, chance) {
			hits = append(hits, a.Fault)
		}
	}
	return hits
}

func (a *armedFault) hits(t Target, chance func() float64) bool {
	if a.Operation != "" && a.Operation != t.Operation || a.Bucket != "" && a.Bucket != t.Bucket || a.Key != "" && a.Key != t.Key {
		return false
	}
	a.matched++
	if a.matched <= a.Skip || a.Times > 0 && a.hit >= a.Times {
		return false
	}
	if a.Probability > 0 && a.Probability < 1 && chance() >= a.Probability {
		return false
	}
	a.hit++
	return true
}

// Strike runs the faults' actions and returns the kind of the first that has one.
func Strike(hits []Fault) Kind {
	kind := None
	for _, f := range hits {
		if f.Do != nil {
			f.Do()
		}
		if kind == None {
			kind = f.Kind
		}
	}
	return kind
}
