// Package line decides which mapping may run a pass: a line of mappings that wait, and a number of
// places.
//
// It promises that places are taken in the order in which they are asked for, one at a time by each
// mapping, and that a pass which has had its turn makes room when others wait, no more of them than
// that.
//
// It leaves to the daemon when a pass is due, and how one that has to make room ends.
//
// The words: a member is a mapping that may stand in line; a turn is the time from when a pass gets
// its place until it gives it back.
package line

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"syncd/internal/fair"
	"syncd/internal/metrics"
)

const (
	// turnTime is how long a pass keeps its place while others wait for one. Then it drains and
	// goes to the end of the line, from where it resumes: first passes that take days would keep
	// all other mappings from theirs.
	turnTime = 10 * time.Minute
	// turnCheck is how often a pass that has had its turn looks whether others wait.
	turnCheck = 5 * time.Second
)

// Line bounds how many passes run at once. Mappings wait for a place in the order they ask for one,
// and each asks for one at a time: one that just had its pass comes after all that wait.
type Line struct {
	share   *fair.Share
	metrics *metrics.Metrics

	limit, running, waiting atomic.Int64 // what the metrics show
	leaving                 atomic.Int64 // passes that drain because others wait
}

// New returns a line for n places; 0 means that there is no bound.
func New(n int, m *metrics.Metrics) *Line {
	l := &Line{share: fair.NewShare(n), metrics: m}
	l.SetLimit(n)
	l.show()
	return l
}

// SetLimit changes the number of places. Passes beyond a lower number run to their end, or to that
// of their turn.
func (l *Line) SetLimit(n int) {
	l.limit.Store(int64(n))
	l.share.SetLimit(n)
	l.metrics.PassesLimit.WithLabelValues().Set(float64(n))
}

// Counts returns the number of places, 0 for no bound, and how many passes run and wait.
func (l *Line) Counts() (limit, running, waiting int64) {
	return l.limit.Load(), l.running.Load(), l.waiting.Load()
}

func (l *Line) show() {
	l.metrics.PassesRunning.WithLabelValues().Set(float64(l.running.Load()))
	l.metrics.PassesWaiting.WithLabelValues().Set(float64(l.waiting.Load()))
}

// Member is a mapping that may stand in line.
type Member struct {
	of     *Line
	member *fair.Member
}

// Member returns a new one.
func (l *Line) Member() *Member { return &Member{l, l.share.Member()} }

// Wait waits in line for a place. Its error is that of ctx, and then none is taken.
func (m *Member) Wait(ctx context.Context) (*Turn, error) {
	l := m.of
	l.waiting.Add(1)
	l.show()
	err := m.member.Acquire(ctx)
	l.waiting.Add(-1)
	if err == nil && ctx.Err() != nil { // a place that came free by the same drain
		m.member.Release()
		err = ctx.Err()
	}
	if err != nil {
		l.show()
		return nil, err
	}
	l.running.Add(1)
	l.show()
	return &Turn{of: l, member: m.member}, nil
}

// isWanted reports whether a place is needed for one more that waits, and counts it among those
// that become free.
func (l *Line) isWanted() bool {
	if l.leaving.Add(1) <= int64(l.share.Waiting()) {
		return true
	}
	l.leaving.Add(-1)
	return false
}

// Turn is that of one pass, which has a place.
type Turn struct {
	of     *Line
	member *fair.Member

	mu      sync.Mutex
	timer   *time.Timer // of its turn
	leaves  bool        // its place is given back for another that waits
	isGiven bool        // back
}

// Begin calls yield when the pass that begins now has had its turn and others wait. No more passes
// leave than others wait.
func (t *Turn) Begin(yield func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.timer = time.AfterFunc(turnTime, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		switch {
		case t.isGiven:
		case t.of.isWanted():
			t.leaves = true
			yield()
		default:
			t.timer.Reset(turnCheck)
		}
	})
}

// End gives the place back.
func (t *Turn) End() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.isGiven = true
	if t.timer != nil {
		t.timer.Stop()
	}
	// It leaves until the place is another's. Before, both it and the one that gets the place would
	// be counted as in need of one.
	t.member.Release()
	if t.leaves {
		t.of.leaving.Add(-1)
	}
	t.of.running.Add(-1)
	t.of.show()
}
