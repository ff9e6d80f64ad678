package ranges

import "sync"

// Limit divides a number of listers equally among the runs that use it, so that the memory of a
// process does not grow with the number of runs. Each run has at least one lister.
type Limit struct {
	mu      sync.Mutex
	listers int
	runs    int
}

// NewLimit returns a Limit of a number of listers.
func NewLimit(listers int) *Limit { return &Limit{listers: listers} }

// join adds a run until leave is called.
func (l *Limit) join() (leave func()) {
	if l == nil {
		return func() {}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.runs++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.runs--
	}
}

// of returns how many of the given listers a run may use now.
func (l *Limit) of(listers int) int {
	if l == nil {
		return listers
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(1, min(listers, l.listers/max(l.runs, 1)))
}
