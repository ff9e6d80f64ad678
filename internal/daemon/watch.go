package daemon

import (
	"context"
	"sync"
	"time"

	"syncd/internal/daemon/condition"
	"syncd/internal/figure"
)

const (
	// sampleEvery is how often it is looked at how far passes are.
	sampleEvery = 5 * time.Second
	// pulseEvery is how often mappings are looked at for signs of life and for what states depend
	// on, in samples. The first sample does too, so that /readyz soon has the states.
	pulseEvery = 6
	// stateEvery is how often the state is looked at, stateAgain how often while it cannot be
	// reached, and stateTimeout how long a look may take.
	stateEvery   = time.Minute
	stateAgain   = 5 * time.Second
	stateTimeout = 10 * time.Second
	// stateFailures is how many looks in a row fail before a process is not ready any more: a
	// service may fail for a moment.
	stateFailures = 3
)

// sampler looks at the passes in progress.
type sampler struct {
	fleet *fleet
}

// work looks until ctx ends.
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

// factsOf returns what the state of a mapping depends on of what its figure says, and whether the
// process drains.
func factsOf(f figure.Figure, draining bool) condition.Facts {
	return condition.Facts{LeaseHeld: f.LeaseHeld, Listed: !f.LastListing.IsZero(), Aside: f.HasAside(), Draining: draining}
}

// reach is whether the state can be reached.
type reach struct {
	// look looks at the state; nil where it need not be reached.
	look func(ctx context.Context) error
	// every bounds how long the next look may wait, and poked has an element when it should be at
	// once.
	every func() time.Duration
	poked <-chan struct{}

	mu       sync.Mutex
	isKnown  bool // it was reached once, or need not be
	failures int  // in a row
	err      error
}

// work looks whether the state can be reached, until ctx ends.
func (r *reach) work(ctx context.Context) error {
	if r.look == nil {
		r.note(nil)
		return nil
	}
	for ctx.Err() == nil {
		err := r.look(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the look ended with ctx, which says nothing of the state
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

// note takes note of a look, and returns how long the next one may wait.
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
		return "the state was not looked at yet"
	default:
		return ""
	}
}
