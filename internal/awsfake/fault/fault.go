// Package fault makes the fake misbehave on purpose.
//
// It hits the requests that a [Fault] selects, as often as the fault specifies. Depending on the
// fault's [Kind], it answers instead of the service or changes the service's response. It sees only
// the [Target] of a request; package core calls it before and after serving the request.
//
// Terms: a fault is armed from Inject until it is removed. A lie is a response that is false, or
// that does not come from the service.
package fault

import (
	"slices"
	"sync"
)

// Fault is a misbehaviour that applies to the requests it matches.
type Fault struct {
	// Operation, Bucket and Key select the requests. An empty field matches any request. Key is the
	// exact key; for a copy, it is the destination key.
	Operation, Bucket, Key string
	// The first Skip matching requests are served normally; the next Times matching requests are
	// hit. A Times of 0 means that all later matches are hit.
	Skip, Times int
	// Probability, if between 0 and 1, is the share of matches that are hit.
	Probability float64
	Kind        Kind
	// Do runs before the request is served, for example to overwrite the object that is about to be
	// copied.
	Do func()
}

// Faults are the armed faults of a cloud.
type Faults struct {
	mu     sync.Mutex
	armed  []*armedFault
	stored map[string]stored // by operation
}

type armedFault struct {
	Fault
	matched, hit int
}

// Inject applies a fault to subsequent requests, until remove is called.
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

// Hitting returns the faults that hit this request, and counts the hits.
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

// Strike calls Do of every hit and returns the first kind that is not None.
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
