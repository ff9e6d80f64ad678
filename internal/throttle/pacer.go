package throttle

import (
	"context"
	"math"
	"sync"
	"time"

	"syncd/internal/fair"
)

const (
	// maxCredit is how much of an unused rate is kept for later. It makes up for timers that fire
	// late, and is too little for a burst that a service would notice.
	maxCredit = 50 * time.Millisecond
	// minNap is the shortest time for which a timer is set: at a high rate several are admitted at
	// once.
	minNap = time.Millisecond
	// maxNap is the longest: it keeps any debt within what a duration can say.
	maxNap = time.Hour
)

// pacer lets weights through at a rate that may change, in the order they came. A weight is
// admitted as soon as all before it are paid for, and is paid for afterwards; so one that is worth
// many seconds needs no budget of that size.
type pacer struct {
	now func() time.Time

	mu      sync.Mutex
	line    fair.Line[float64] // of weights
	rate    float64            // per second; math.Inf(1): none
	balance float64            // weight that may go at once; negative: not yet paid for
	at      time.Time          // when balance was true
	timer   *time.Timer
	wake    time.Time // when the timer fires; zero: not set
}

func newPacer(rate float64, now func() time.Time) *pacer {
	if now == nil {
		now = time.Now
	}
	return &pacer{now: now, rate: rate, at: now()}
}

// wait returns when weight may go, and whether that took a wait. Its error is that of ctx, and then
// nothing is spent.
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

// setRate changes the rate from now on, for those that already wait too.
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

// busy reports whether someone waits.
func (p *pacer) busy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.line.IsEmpty()
}

func (p *pacer) credit() float64 { return p.rate * maxCredit.Seconds() }

// earn brings the balance up to date.
func (p *pacer) earn() {
	now := p.now()
	if passed := now.Sub(p.at); passed > 0 && !math.IsInf(p.rate, 1) {
		p.balance = min(p.balance+p.rate*passed.Seconds(), p.credit())
	}
	p.at = now
}

// refund takes back an admission that nobody used.
func (p *pacer) refund(weight float64) {
	p.earn()
	p.balance += weight
	p.admit()
}

// fire is the timer's.
func (p *pacer) fire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake = time.Time{}
	p.earn()
	p.admit()
}

// admit lets go whoever may, and sets the timer for the next.
func (p *pacer) admit() {
	for !p.line.IsEmpty() && p.balance >= 0 {
		p.balance -= p.line.Admit()
	}
	p.arm()
}

// arm sets the timer for the first in the line, unless it fires by then anyway: too early does no
// harm.
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

// Bytes caps bytes a second. A nil or zero Bytes caps nothing.
type Bytes struct{ pacer *pacer }

// NewBytes returns a cap of so many bytes a second; 0 means none.
func NewBytes(perSecond int64) *Bytes {
	if perSecond <= 0 {
		return &Bytes{}
	}
	return &Bytes{newPacer(float64(perSecond), nil)}
}

// Wait waits until n bytes may be moved: at once when all that was asked for before is paid for at
// the rate, so that the cap holds on average and one large part needs no saving up. Its error is
// that of ctx.
func (b *Bytes) Wait(ctx context.Context, n int64) error {
	if b == nil || b.pacer == nil || n <= 0 {
		return ctx.Err()
	}
	_, err := b.pacer.wait(ctx, float64(n))
	return err
}
