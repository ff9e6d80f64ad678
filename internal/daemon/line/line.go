// Package line decides which mapping may run a pass. It has a limited number of places and a line
// of mappings that wait for a place.
//
// Places are given in the order in which they were requested, and a mapping has at most one place
// at a time. A pass gives up its place after its turn if other mappings wait. The number of passes
// that do so at the same time is at most the number of waiting mappings.
//
// The daemon decides when a pass is due, and how a pass that must give up its place ends.
//
// Two terms: a member is a mapping that can wait in line; a turn is the time during which a pass
// has a place.
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
	// turnTime is how long a pass keeps its place while other mappings wait for a place. After this
	// time the pass drains, its mapping goes to the end of the line, and the pass resumes when the
	// mapping has a place again. Without this limit, first passes that take days would block all
	// other mappings.
	turnTime = 10 * time.Minute
	// turnCheck is how often to check whether mappings wait, once a pass has had its turn.
	turnCheck = 5 * time.Second
)

// Line limits how many passes run at the same time. Mappings wait for a place in the order in which
// they requested one. A mapping requests one place at a time, so after a pass it goes to the end of
// the line.
type Line struct {
	share   *fair.Share
	metrics *metrics.Metrics

	limit, running, waiting atomic.Int64 // values of the metrics
	leaving                 atomic.Int64 // number of passes that drain because mappings wait
}

// New returns a line with n places; 0 means no limit.
func New(n int, m *metrics.Metrics) *Line {
	l := &Line{share: fair.NewShare(n), metrics: m}
	l.SetLimit(n)
	l.show()
	return l
}

// SetLimit changes the number of places. If the number is reduced, the running passes keep their
// places until their turns end.
func (l *Line) SetLimit(n int) {
	l.limit.Store(int64(n))
	l.share.SetLimit(n)
	l.metrics.PassesLimit.WithLabelValues().Set(float64(n))
}

// Counts returns the number of places (0 means no limit), and how many passes are running and
// waiting.
func (l *Line) Counts() (limit, running, waiting int64) {
	return l.limit.Load(), l.running.Load(), l.waiting.Load()
}

func (l *Line) show() {
	l.metrics.PassesRunning.WithLabelValues().Set(float64(l.running.Load()))
	l.metrics.PassesWaiting.WithLabelValues().Set(float64(l.waiting.Load()))
}

// Member is a mapping that can wait in line.
type Member struct {
	of     *Line
	member *fair.Member
}

// Member returns a new Member.
func (l *Line) Member() *Member { return &Member{l, l.share.Member()} }

// Wait waits in line for a place. If ctx ends first, Wait returns the error of ctx.
func (m *Member) Wait(ctx context.Context) (*Turn, error) {
	l := m.of
	l.waiting.Add(1)
	l.show()
	err := m.member.Acquire(ctx)
	l.waiting.Add(-1)
	if err == nil && ctx.Err() != nil { // the event that ended ctx, such as a drain, may also have freed the place
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

// isWanted reports whether the waiting mappings need another place, in addition to the places that
// passes are already giving up. If so, it counts the caller's place as leaving.
func (l *Line) isWanted() bool {
	if l.leaving.Add(1) <= int64(l.share.Waiting()) {
		return true
	}
	l.leaving.Add(-1)
	return false
}

// Turn is the turn of one pass that has a place.
type Turn struct {
	of     *Line
	member *fair.Member

	mu      sync.Mutex
	timer   *time.Timer // fires after turnTime, then every turnCheck
	leaves  bool        // the place is being given up for a waiting mapping
	isGiven bool        // the place was given back
}

// Begin starts the turn. It calls yield when the pass has had its turn and a waiting mapping needs
// its place. The number of passes that leave at the same time is at most the number of waiting
// mappings.
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
	// Decrement leaving only after the place is released. In the other order, isWanted could find
	// the mapping that gets this place still waiting while no place is leaving, and would end
	// another pass for it.
	t.member.Release()
	if t.leaves {
		t.of.leaving.Add(-1)
	}
	t.of.running.Add(-1)
	t.of.show()
}
