package daemon

import (
	"context"
	"sync"

	"syncd/internal/daemon/appointment"
)

// fleet is the set of mappings that the daemon runs. It starts and stops their keepers when the
// configuration changes.
type fleet struct {
	*shared
	work sync.WaitGroup // the keepers

	mu       sync.Mutex
	order    []string           // names of the current mappings, in configuration order
	keepers  map[string]*keeper // keepers of the current mappings
	leaving  map[string]*keeper // keepers of removed mappings that still drain
	draining bool
	failures []error
}

func newFleet(s *shared) *fleet {
	return &fleet{shared: s, keepers: map[string]*keeper{}, leaving: map[string]*keeper{}}
}

// apply makes these mappings the current ones. Calls must not be concurrent. It does nothing after
// ctx has ended.
func (f *fleet) apply(ctx context.Context, mappings []Mapping) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	former := f.keepers
	together := starting(former, mappings)
	f.keepers, f.order = map[string]*keeper{}, nil
	for _, m := range mappings {
		f.order = append(f.order, m.Name)
		k := former[m.Name]
		delete(former, m.Name)
		if k == nil || k.m.Revision != m.Revision {
			k = f.start(ctx, m, k, together)
		}
		f.keepers[m.Name] = k
	}
	for name, k := range former {
		f.log.Info("mapping removed", "mapping", name)
		k.Stop()
		f.leaving[name] = k
	}
}

// starting counts the mappings that start a pass at once when the given mappings become current.
func starting(former map[string]*keeper, mappings []Mapping) (n int) {
	for _, m := range mappings {
		if k := former[m.Name]; m.AtOnce && (k == nil || k.m.Revision != m.Revision) {
			n++
		}
	}
	return n
}

// start starts the keeper of a mapping. The keeper runs once the former keeper, which may be nil,
// has ended. The parameter together is how many mappings start at the same time. The caller holds
// f.mu.
func (f *fleet) start(ctx context.Context, m Mapping, former *keeper, together int) *keeper {
	if former != nil {
		f.log.Info("mapping changed", "mapping", m.Name)
		former.retire()
	} else {
		former = f.leaving[m.Name]
		delete(f.leaving, m.Name)
	}
	k := newKeeper(f.shared, m, former, f.ended)
	k.startDelay = appointment.StartDelay(m.Name, together)
	f.work.Go(func() { _ = k.Run(ctx) }) // its error is passed to f.ended
	return k
}

// ended records that a keeper has ended.
func (f *fleet) ended(k *keeper, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err == nil:
	case f.draining:
		f.failures = append(f.failures, err)
	default:
		k.log.Error("mapping could not be closed", "err", err)
	}
	if f.leaving[k.m.Name] == k {
		delete(f.leaving, k.m.Name)
		f.metrics.Forget(k.m.Name)
		f.board.Forget(k.m.Name)
	}
}

// drain waits until all keepers have ended, and returns their errors. It must be called after the
// context of the keepers has ended.
func (f *fleet) drain() []error {
	f.mu.Lock()
	f.draining = true
	f.mu.Unlock()
	f.work.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failures
}

func (f *fleet) isDraining() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.draining
}

// kept returns the active keepers: first the keepers of current mappings in configuration order,
// then the keepers of removed mappings that still drain.
func (f *fleet) kept() []*keeper {
	f.mu.Lock()
	defer f.mu.Unlock()
	var kept []*keeper
	for _, name := range f.order {
		kept = append(kept, f.keepers[name].present())
	}
	for _, k := range f.leaving {
		kept = append(kept, k.present())
	}
	return kept
}

// keeps reports whether a mapping is in the current configuration.
func (f *fleet) keeps(mapping string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.keepers[mapping] != nil
}
