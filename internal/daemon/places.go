package daemon

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"syncd/internal/metrics"
	"syncd/internal/throttle"
)

const (
	// turnTime is how long a pass keeps its place while others wait for one. Then it drains and goes to the end of the line, from
	// where it resumes: first passes that take days would keep all other mappings from theirs.
	turnTime = 10 * time.Minute
	// turnCheck is how often a pass that has had its turn looks whether others wait.
	turnCheck = 5 * time.Second
)

// Places bounds how many passes run at once. Mappings wait for a place in the order they ask for one, and each asks for one at a
// time: one that just had its pass comes after all that wait.
type Places struct {
	share   *throttle.Share
	metrics *metrics.Metrics

	limit, running, waiting atomic.Int64 // what the metrics show
	leaving                 atomic.Int64 // passes that drain because others wait
}

// NewPlaces returns n places; 0 means that there is no bound.
func NewPlaces(n int, m *metrics.Metrics) *Places {
	p := &Places{share: throttle.NewShare(n), metrics: m}
	p.SetLimit(n)
	p.show()
	return p
}

// SetLimit changes the number of places. Passes beyond a lower number run to their end, or to that of their turn.
func (p *Places) SetLimit(n int) {
	p.limit.Store(int64(n))
	p.share.SetLimit(n)
	p.metrics.PassesLimit.WithLabelValues().Set(float64(n))
}

func (p *Places) show() {
	p.metrics.PassesRunning.WithLabelValues().Set(float64(p.running.Load()))
	p.metrics.PassesWaiting.WithLabelValues().Set(float64(p.waiting.Load()))
}

// take waits in line for a place. Its error is that of ctx, and then none is taken.
func (p *Places) take(ctx context.Context, m *throttle.Member) (*place, error) {
	p.waiting.Add(1)
	p.show()
	err := m.Acquire(ctx)
	p.waiting.Add(-1)
	if err == nil && ctx.Err() != nil { // a place that came free by the same drain
		m.Release()
		err = ctx.Err()
	}
	if err != nil {
		p.show()
		return nil, err
	}
	p.running.Add(1)
	p.show()
	return &place{of: p, member: m}, nil
}

// isWanted reports whether a place is needed for one more that waits, and counts it among those that become free.
func (p *Places) isWanted() bool {
	if p.leaving.Add(1) <= int64(p.share.Waiting()) {
		return true
	}
	p.leaving.Add(-1)
	return false
}

// place is that of one pass.
type place struct {
	of     *Places
	member *throttle.Member

	mu      sync.Mutex
	timer   *time.Timer // of its turn
	leaves  bool        // it is given back for another that waits
	isGiven bool        // back
}

// turn calls yield when the pass that begins now has had its turn and others wait. No more passes leave than others wait.
func (p *place) turn(yield func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(turnTime, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch {
		case p.isGiven:
		case p.of.isWanted():
			p.leaves = true
			yield()
		default:
			p.timer.Reset(turnCheck)
		}
	})
}

func (p *place) giveBack() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isGiven = true
	if p.timer != nil {
		p.timer.Stop()
	}
	// It leaves until the place is another's. Before, both it and the one that gets the place would be counted as in need of one.
	p.member.Release()
	if p.leaves {
		p.of.leaving.Add(-1)
	}
	p.of.running.Add(-1)
	p.of.show()
}
