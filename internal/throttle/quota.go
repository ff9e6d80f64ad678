package throttle

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// A draw is refused alone when of the others' answers at least expectedRefusals would have been
	// refused at its share, and less than a quarter of that was.
	expectedRefusals = 8
	// A draw that is paced alone comes back to the others when it was not throttled for so long.
	aloneFor = time.Minute
	// recent is how long the answers to others are taken for evidence: their weight halves in that
	// time.
	recent = 2 * time.Second
)

// Quota is a limit of a service on requests of several mappings together: a bucket's, that of KMS
// in one account and region, that of STS. It paces them together, by one [Controller]. Those of a
// mapping that is refused while others are not have a reason of their own, such as an overloaded
// source or key: they are paced by themselves until that is over, and the others go on.
type Quota struct {
	o   ControllerOptions
	all *Controller

	mu     sync.Mutex
	shared tally // of all that are not paced alone
}

// NewQuota returns a Quota whose controllers have these settings.
func NewQuota(o ControllerOptions) *Quota {
	all := NewController(o)
	o.Now = all.now
	return &Quota{o: o, all: all}
}

// Draw returns a new draw on the quota, for one mapping.
func (q *Quota) Draw() *Draw { return &Draw{quota: q, own: NewController(q.o)} }

// Draw is a mapping's part in a [Quota]. It may be shared by clients and goroutines; a nil Draw
// limits nothing.
type Draw struct {
	quota *Quota
	// own paces the draw while it is paced alone, which is what alone says.
	own   *Controller
	alone atomic.Bool

	throttles atomic.Int64

	// The lock of the quota guards what follows.
	mine  tally
	alarm alarm
	since time.Time // when it was last throttled, while it is paced alone
}

// Rate returns how many requests per second may be sent, and whether there is a limit at all;
// without one it is 0.
func (d *Draw) Rate() (perSecond float64, limited bool) {
	if d == nil {
		return 0, false
	}
	rate, limited := d.quota.all.Rate()
	if own, alone := d.own.Rate(); alone && d.alone.Load() && (!limited || own < rate) {
		return own, true
	}
	return rate, limited
}

// Throttles returns how many attempts of this draw were refused.
func (d *Draw) Throttles() int64 {
	if d == nil {
		return 0
	}
	return d.throttles.Load()
}

// wait returns when weight may be sent, and whether that took a wait.
func (d *Draw) wait(ctx context.Context, weight float64) (waited bool, err error) {
	if d == nil {
		return false, nil
	}
	if d.alone.Load() {
		if waited, err = d.own.wait(ctx, weight); err != nil {
			return waited, err
		}
	}
	waitedForAll, err := d.quota.all.wait(ctx, weight)
	return waited || waitedForAll, err
}

// ticket is what answered has to know of a request that was sent.
type ticket struct {
	all, own int
	weight   float64
}

// sent notes that weight is sent now.
func (d *Draw) sent(weight float64) ticket {
	return ticket{all: d.quota.all.sent(weight), own: d.own.sent(weight), weight: weight}
}

// answered learns from the answer to a request.
func (d *Draw) answered(t ticket, isRefused bool) {
	if isRefused {
		d.throttles.Add(1)
	} else {
		d.quota.all.took(t.weight)
		d.own.took(t.weight)
	}
	if d.judge(isRefused) {
		d.own.answered(t.own, isRefused)
	} else {
		d.quota.all.answered(t.all, isRefused)
	}
}

// judge reports whether an answer is charged to this draw alone.
func (d *Draw) judge(isRefused bool) bool {
	q := d.quota
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.o.Now()
	if d.alone.Load() {
		if isRefused {
			d.since = now
		} else if now.Sub(d.since) > aloneFor {
			d.alone.Store(false)
			d.own.reset()
		}
		return true
	}
	d.mine.add(now, isRefused)
	q.shared.add(now, isRefused)
	d.alarm.add(now, isRefused, maxStray)
	refused, others := d.alarm.since.value(), q.shared.without(d.mine)
	if d.alarm.raised.IsZero() || !others.contradicts(refused) {
		return false
	}
	q.shared = others
	q.all.forget()
	d.mine, d.alarm, d.since = tally{}, alarm{}, now
	d.alone.Store(true)
	d.own.begin(refused)
	return true
}

// tally counts answers, of which older ones weigh less.
type tally struct {
	share
	at time.Time
}

func (t *tally) add(now time.Time, isRefused bool) {
	if passed := now.Sub(t.at); passed > 0 {
		left := math.Exp2(-passed.Seconds() / recent.Seconds())
		t.refused *= left
		t.answers *= left
		t.at = now
	}
	t.answers++
	if isRefused {
		t.refused++
	}
}

// without takes away what a part of the tally has counted.
func (t tally) without(part tally) tally {
	left := math.Exp2(-t.at.Sub(part.at).Seconds() / recent.Seconds())
	t.refused = max(t.refused-part.refused*left, 0)
	t.answers = max(t.answers-part.answers*left, 0)
	return t
}

// contradicts reports whether these answers show that not everyone is refused this share.
func (t tally) contradicts(refused float64) bool {
	expected := t.answers * refused
	return expected >= expectedRefusals && t.refused < expected/4
}
