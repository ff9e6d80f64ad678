package daemon

import (
	"context"
	"sync"
	"time"

	"syncd/internal/daemon/condition"
	"syncd/internal/figure"
)

const (
	// sampleEvery is how often the progress of passes is sampled.
	sampleEvery = 5 * time.Second
	// pulseEvery is the number of samples after which mappings are checked for activity and their
	// states updated. The first sample also updates the states, so that /readyz soon shows them.
	pulseEvery = 6
	// stateEvery is how often to check whether the state can be reached, and stateAgain how often
	// to check while it cannot. stateTimeout limits how long a check takes.
	stateEvery   = time.Minute
	stateAgain   = 5 * time.Second
	stateTimeout = 10 * time.Second
	// stateFailures is how many checks in a row must fail before the process is not ready: a
	// service may fail briefly.
	stateFailures = 3
)

// sampler samples the passes in progress.
type sampler struct {
	fleet *fleet
}

// work takes samples until ctx ends.
func (s sampler) work(ctx context.Context) error {
	tick := time.NewTicker(sampleEvery)
	defer tick.Stop()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, k := range s.fleet.kept() {
			if n%pulseEvery == 0 || n == 1 {
				k.condition.Judge(factsOf(k.figure.Read(), s.fleet.isDraining()), k.figure.Beats())
			}
			k.condition.Look(k.runner)
		}
	}
}

// factsOf returns the facts on which the state of a mapping depends: the facts in its figure, and
// whether the process drains.
func factsOf(f figure.Figure, draining bool) condition.Facts {
	return condition.Facts{LeaseHeld: f.LeaseHeld, Listed: !f.LastListing.IsZero(), Aside: f.HasAside(), Draining: draining}
}

// reach checks whether the state can be reached.
type reach struct {
	// look checks the state. It is nil if no check is needed.
	look func(ctx context.Context) error
	// every returns the maximum wait before the next check. poked has an element when the next
	// check should run at once.
	every func() time.Duration
	poked <-chan struct{}

	mu       sync.Mutex
	isKnown  bool // the state was reached once, or no check is needed
	failures int  // number of failures in a row
	err      error
}

// work checks whether the state can be reached until ctx ends.
func (r *reach) work(ctx context.Context) error {
	if r.look == nil {
		r.note(nil)
		return nil
	}
	for ctx.Err() == nil {
		err := r.look(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the check ended with ctx, so its error does not concern the state
		}
		timer := time.NewTimer(min(r.note(err), r.every()))
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-r.poked:
		}
		timer.Stop()
	}
	return nil
}

// note records the result of a check, and returns how long to wait before the next one.
func (r *reach) note(err error) (next time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
	if err != nil {
		r.failures++
		return stateAgain
	}
	r.isKnown, r.failures = true, 0
	return stateEvery
}

func (r *reach) whyNot() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.err != nil && (!r.isKnown || r.failures >= stateFailures):
		return "the state cannot be reached: " + r.err.Error()
	case !r.isKnown:
		return "the state has not been checked yet"
	default:
		return ""
	}
}
