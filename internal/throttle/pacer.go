package throttle

import (
	"context"
	"math"
	"sync"
	"time"

	"syncd/internal/fair"
)

const (
	// maxCredit bounds how much unused rate is saved for later. It compensates for timers that fire
	// late, and is too small to cause a burst that a service would notice.
	maxCredit = 50 * time.Millisecond
	// minNap is the shortest time for which the timer is set. At a high rate several weights are
	// therefore admitted at once.
	minNap = time.Millisecond
	// maxNap is the longest time for which the timer is set. Without this limit, the time to pay a
	// large debt at a low rate could exceed the range of a time.Duration.
	maxNap = time.Hour
)

// pacer admits weights at a rate that can change, in order of arrival. A weight is admitted once
// all previous weights are paid for, and is itself paid for afterwards. Therefore a weight that
// takes many seconds to pay for needs no saved budget of that size.
type pacer struct {
	now func() time.Time

	mu      sync.Mutex
	line    fair.Line[float64] // waiting weights
	rate    float64            // weight per second; math.Inf(1) means no limit
	balance float64            // weight that may be admitted at once; a negative balance is debt
	at      time.Time          // time of balance
	timer   *time.Timer
	wake    time.Time // when the timer fires; zero if it is not set
}

func newPacer(rate float64, now func() time.Time) *pacer {
	if now == nil {
		now = time.Now
	}
	return &pacer{now: now, rate: rate, at: now()}
}

// wait blocks until the rate allows weight to be sent, and reports whether it had to wait. If ctx
// ends first, it returns ctx's error and spends nothing.
func (p *pacer) wait(ctx context.Context, weight float64) (waited bool, err error) {
	p.mu.Lock()
	if math.IsInf(p.rate, 1) {
		p.mu.Unlock()
		return false, nil
	}
	p.earn()
	if p.line.IsEmpty() && p.balance >= 0 {
		p.balance -= weight
		p.mu.Unlock()
		return false, nil
	}
	place := p.line.Join(weight)
	p.arm()
	p.mu.Unlock()
	return true, p.line.Wait(ctx, &p.mu, place, func(isLate bool) {
		if isLate {
			p.refund(weight)
		}
	})
}

// setRate changes the rate, also for weights that are already waiting.
func (p *pacer) setRate(rate float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.earn()
	p.rate = rate
	if math.IsInf(rate, 1) {
		p.balance = 0
		for !p.line.IsEmpty() {
			p.line.Admit()
		}
		return
	}
	p.balance = min(p.balance, p.credit())
	p.admit()
}

// busy reports whether any weight is waiting.
func (p *pacer) busy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.line.IsEmpty()
}

func (p *pacer) credit() float64 { return p.rate * maxCredit.Seconds() }

// earn updates the balance.
func (p *pacer) earn() {
	now := p.now()
	if passed := now.Sub(p.at); passed > 0 && !math.IsInf(p.rate, 1) {
		p.balance = min(p.balance+p.rate*passed.Seconds(), p.credit())
	}
	p.at = now
}

// refund takes back an admission that was not used.
func (p *pacer) refund(weight float64) {
	p.earn()
	p.balance += weight
	p.admit()
}

// fire runs when the timer fires.
func (p *pacer) fire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake = time.Time{}
	p.earn()
	p.admit()
}

// admit admits as many weights as possible and sets the timer for the next weight.
func (p *pacer) admit() {
	for !p.line.IsEmpty() && p.balance >= 0 {
		p.balance -= p.line.Admit()
	}
	p.arm()
}

// arm sets the timer to the time at which the first waiting weight can be admitted, unless the
// timer is already set to an earlier time. A timer that fires too early does no harm.
func (p *pacer) arm() {
	if p.line.IsEmpty() {
		return
	}
	debt := min(-p.balance/p.rate, maxNap.Seconds())
	nap := max(time.Duration(debt*float64(time.Second)), minNap)
	wake := p.at.Add(nap)
	if !p.wake.IsZero() && p.wake.Before(wake.Add(minNap)) {
		return
	}
	p.wake = wake
	if p.timer == nil {
		p.timer = time.AfterFunc(nap, p.fire)
		return
	}
	p.timer.Reset(nap)
}

// Bytes limits bytes per second. A nil or zero Bytes limits nothing.
type Bytes struct{ pacer *pacer }

// NewBytes returns a limit of perSecond bytes per second; 0 means no limit.
func NewBytes(perSecond int64) *Bytes {
	if perSecond <= 0 {
		return &Bytes{}
	}
	return &Bytes{newPacer(float64(perSecond), nil)}
}

// Wait waits until the rate allows n bytes to be moved. It returns once the bytes of all previous
// calls are paid for at the rate. The limit is therefore met on average, and a large part does not
// need a saved budget of its size. If ctx ends first, Wait returns ctx's error.
func (b *Bytes) Wait(ctx context.Context, n int64) error {
	if b == nil || b.pacer == nil || n <= 0 {
		return ctx.Err()
	}
	_, err := b.pacer.wait(ctx, float64(n))
	return err
}
