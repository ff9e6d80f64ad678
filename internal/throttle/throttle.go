// Package throttle watches every request that an SDK client sends, and holds it back where the service, KMS or the
// configuration asks for it.
//
// It promises that a [Meter] hung on a client sees each attempt once, retries included, with its operation, its class and
// its duration, so that the figures of a summary are those of the service's own bill and quotas; that a [Guard] hung on it
// lets no attempt pass faster than the caps, and settles just below what a service allows after it first throttled; that
// throttling by KMS slows only requests that may need KMS; that everyone who waits does so in the order of arrival, and
// leaves at once and without a trace when its context ends.
//
// It leaves to others what the figures mean (the syncer sums and exports them), to try again after a refusal (the SDK's
// retryer, whose every attempt is paced anew), and to hold a slot for each request under way (the copier).
//
// The words: an operation is the API's name of a request, such as CopyObject; an attempt is one request on the wire; a
// level is how many are under way at once, a rate how many are sent per second, and the two are found apart: throttling
// moves rates, broken connections and slow answers move the level. A cap is a rate that was configured.
package throttle

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// minRate is the rate below which no throttling drives a controller, in requests a second: someone has to ask whether
	// it is over.
	minRate = 1
	// maxStray is the share of throttled answers that is left alone. A service of many machines refuses one now and then.
	maxStray = 0.01
	// keep is what a cut leaves of the rate that the service took; minKeep of that at which requests were sent bounds it
	// below, since a run of refusals says little about the rate.
	keep, minKeep = 0.9, 0.3
	// minShare is the least share of requests taken from which the rate of the service is concluded.
	minShare = 0.5
	// A verdict takes the answers of a tenth of a second, but between minAnswers and maxAnswers, or those of verdictTime.
	minAnswers, maxAnswers = 10, 200
	verdictTime            = time.Second
)

// ControllerOptions are the settings of a Controller.
type ControllerOptions struct {
	// Name says whose quota it is, such as "destination" or "kms". It is part of the error of a wait that was ended.
	Name string
	// Cap is a rate that is never exceeded, in requests per second; 0 means none.
	Cap float64
	// Now is the clock; nil means time.Now. It must run with the timers that end the waits.
	Now func() time.Time
}

// Controller keeps the rate of one quota: a bucket's, that of KMS in one account and region, that of STS. It may be shared
// by clients and goroutines; a nil Controller limits nothing.
//
// There is no limit but the cap until the service throttles. Then the rate is cut to a bit below what the service took, and
// from there it grows: quickly towards the rate at which it was last throttled, slowly around that, and the faster beyond
// it the longer nothing is throttled. Only requests sent after the last cut say whether it was enough. Time in which no
// request had to wait does not count, since a rate that is not used proves nothing.
type Controller struct {
	name  string
	cap   float64 // math.Inf(1): none
	now   func() time.Time
	pacer *pacer

	throttles atomic.Int64

	mu    sync.Mutex
	rate  float64 // that the service is thought to take; math.Inf(1) until it first throttled
	curve curve
	cuts  int
	sends flow

	// What was answered to requests sent after the last cut, since the last verdict.
	taken, refused float64
	since, heard   time.Time
}

// NewController returns a Controller.
func NewController(o ControllerOptions) *Controller {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Cap <= 0 {
		o.Cap = math.Inf(1)
	}
	return &Controller{name: o.Name, cap: o.Cap, now: o.Now, pacer: newPacer(o.Cap, o.Now), rate: math.Inf(1)}
}

// Rate returns how many requests per second may be sent, and whether there is a limit at all; without one it is 0.
func (c *Controller) Rate() (perSecond float64, limited bool) {
	if c == nil {
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	rate := min(c.rate, c.cap)
	if math.IsInf(rate, 1) {
		return 0, false
	}
	return rate, true
}

// Throttles returns how many attempts this quota has refused.
func (c *Controller) Throttles() int64 {
	if c == nil {
		return 0
	}
	return c.throttles.Load()
}

// sent notes that weight is sent now, and returns the number of cuts before it, for answered.
func (c *Controller) sent(weight float64) (cuts int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sends.add(c.now(), weight)
	return c.cuts
}

// answered learns from an answer to what was sent after so many cuts.
func (c *Controller) answered(cuts int, weight float64, throttled bool) {
	if throttled {
		c.throttles.Add(1)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if cuts != c.cuts {
		return // it was sent at a rate that has been given up since
	}
	now := c.now()
	if !throttled && c.rate <= minRate {
		c.taken, c.refused = 0, 0 // what was refused belongs to an outage that is over
	}
	c.grow(now, throttled)
	if c.taken+c.refused == 0 {
		c.since = now
	}
	if throttled {
		c.refused += weight
	} else {
		c.taken += weight
	}
	c.judge(now)
}

// grow counts the time since the last answer, if that is one reason more to send faster.
func (c *Controller) grow(now time.Time, throttled bool) {
	passed := min(now.Sub(c.heard), verdictTime)
	c.heard = now
	if throttled || math.IsInf(c.rate, 1) || !c.pacer.busy() {
		return
	}
	c.curve.pressed += passed
	c.rate = min(c.curve.rate(), c.cap)
	c.pacer.setRate(c.rate)
}

// judge decides, when enough was answered, whether too much of it was refused.
func (c *Controller) judge(now time.Time) {
	answers, enough := c.taken+c.refused, float64(minAnswers)
	if !math.IsInf(c.rate, 1) {
		enough = min(max(c.rate/10, minAnswers), maxAnswers)
	}
	if answers < enough && now.Sub(c.since) < verdictTime {
		return
	}
	share := c.taken / answers
	c.taken, c.refused = 0, 0
	if 1-share > maxStray {
		c.cut(now, share)
	}
}

// cut lowers the rate after the service took only a share of what was sent.
func (c *Controller) cut(now time.Time, share float64) {
	// A quota that others use too may be spent while hardly anything is sent from here.
	used := min(c.rate, c.sends.rate(now))
	c.rate = max(used*min(max(keep*share, minKeep), keep), minRate)
	// When most is refused, that may be an outage as well as a lower quota: what was good is kept in mind meanwhile.
	if share >= minShare || c.curve.best == 0 {
		c.curve.best = used * max(share, minShare)
	}
	c.curve.best = max(c.curve.best, c.rate)
	c.curve.from, c.curve.pressed = c.rate, 0
	c.cuts++
	c.heard = now
	c.pacer.setRate(min(c.rate, c.cap))
}

const (
	// climb is the time in which a rate comes back to its best.
	climb = 3 * time.Second
	// probe is the share by which a rate exceeds its best when as much time again has passed without a verdict against it.
	probe = 0.1
	// leapAfter is when a probe has found half as much again: probe · (leapAfter / climb)³. From there the rate doubles in
	// doubling. An earlier leap would be led on by quotas that let a second of unused rate be made up for.
	leapAfter = 5130 * time.Millisecond
	doubling  = 3 * time.Second
)

// curve is how a rate grows after a cut: a cubic, flat around its best, as of RFC 9438 (CUBIC), section 4.2, but in
// proportion to the rate, and an exponential where the best has proved to be out of date.
type curve struct {
	from    float64       // after the cut
	best    float64       // that the service took
	pressed time.Duration // since the cut, with requests waiting
}

func (c *curve) rate() float64 {
	left := 1 - c.pressed.Seconds()/climb.Seconds()
	if left >= 0 {
		return c.best - (c.best-c.from)*left*left*left
	}
	beyond := c.pressed - climb
	further := max(beyond-leapAfter, 0)
	over := (beyond - further).Seconds() / climb.Seconds()
	return c.best * (1 + probe*over*over*over) * math.Exp2(further.Seconds()/doubling.Seconds())
}

const (
	// flowWindow is half the time that a flow looks back.
	flowWindow = 500 * time.Millisecond
	// minFlow is the shortest time that a flow is taken over.
	minFlow = 20 * time.Millisecond
)

// flow measures how much goes by a second.
type flow struct {
	start             time.Time // of the present window
	present, previous float64
}

func (f *flow) add(now time.Time, weight float64) {
	f.turn(now)
	f.present += weight
}

// rate returns what went by per second, lately.
func (f *flow) rate(now time.Time) float64 {
	f.turn(now)
	span := now.Sub(f.start)
	if f.previous > 0 {
		span += flowWindow
	}
	return (f.present + f.previous) / max(span, minFlow).Seconds()
}

// turn begins a new window when the present one is over.
func (f *flow) turn(now time.Time) {
	switch passed := now.Sub(f.start); {
	case passed < flowWindow:
	case passed < 2*flowWindow:
		f.start, f.present, f.previous = f.start.Add(flowWindow), 0, f.present
	default:
		f.start, f.present, f.previous = now, 0, 0
	}
}
