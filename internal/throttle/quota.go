package throttle

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// A draw is paced alone if the other draws are refused much less often. To compare the draws,
	// the first draw's refused share is multiplied by the number of the other draws' answers. The
	// first draw is paced alone if this product is at least expectedRefusals, and the other draws
	// had fewer refusals than a quarter of the product.
	expectedRefusals = 8
	// aloneFor is how long a draw that is paced alone must not be throttled before it rejoins the
	// other draws.
	aloneFor = time.Minute
	// recent is the half-life with which the other draws' answers lose weight as evidence.
	recent = 2 * time.Second
)

// Quota is a limit on requests that several mappings share, such as the limit of a bucket, of KMS
// in an account and region, or of STS. One [Controller] paces the mappings together. If the service
// refuses the requests of only one mapping, the cause affects only that mapping, such as an
// overloaded source or key. The mapping is then paced alone until it has not been throttled for a
// minute, and the other mappings continue.
type Quota struct {
	o   ControllerOptions
	all *Controller

	mu     sync.Mutex
	shared tally // answers of all draws that are not paced alone
}

// NewQuota returns a Quota whose controllers have these settings.
func NewQuota(o ControllerOptions) *Quota {
	all := NewController(o)
	o.Now = all.now
	return &Quota{o: o, all: all}
}

// Draw returns a new draw on the quota for one mapping.
func (q *Quota) Draw() *Draw { return &Draw{quota: q, own: NewController(q.o)} }

// Draw is a mapping's share of a [Quota]. It is safe for concurrent use by several clients. A nil
// Draw limits nothing.
type Draw struct {
	quota *Quota
	// own paces the draw while alone is true.
	own   *Controller
	alone atomic.Bool

	throttles atomic.Int64

	// The quota's lock guards the fields below.
	mine  tally
	alarm alarm
	since time.Time // when the draw was last throttled while paced alone
}

// Rate returns the limit in requests per second, and whether there is a limit. Without one the rate
// is 0.
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

// wait blocks until the rate allows weight to be sent, and reports whether it had to wait.
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

// ticket identifies a request that was sent. The method sent returns it, and the method answered
// accepts it.
type ticket struct {
	all, own int
	weight   float64
}

// sent records that weight is being sent.
func (d *Draw) sent(weight float64) ticket {
	return ticket{all: d.quota.all.sent(weight), own: d.own.sent(weight), weight: weight}
}

// answered updates the draw and its quota with the answer to a request.
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

// judge reports whether an answer counts only for this draw, instead of for the shared quota.
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

// tally counts answers; older answers have less weight.
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

// without subtracts a part of the tally.
func (t tally) without(part tally) tally {
	left := math.Exp2(-t.at.Sub(part.at).Seconds() / recent.Seconds())
	t.refused = max(t.refused-part.refused*left, 0)
	t.answers = max(t.answers-part.answers*left, 0)
	return t
}

// contradicts reports whether the answers in t show that the other draws are refused at a share
// much smaller than refused.
func (t tally) contradicts(refused float64) bool {
	expected := t.answers * refused
	return expected >= expectedRefusals && t.refused < expected/4
}
