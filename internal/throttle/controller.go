package throttle

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/aws/smithy-go"
)

const (
	// minRate is the rate in requests per second below which throttling does not reduce the rate:
	// some requests must be sent to detect the end of the throttling.
	minRate = 1
	// A cut reduces the rate to keep times the accepted rate, but never below minKeep times the
	// sending rate, because a series of refusals is weak evidence about the service's rate.
	keep, minKeep = 0.9, 0.3
	// minShare is the share of accepted requests below which the service's rate is not inferred
	// from the accepted requests.
	minShare = 0.5
	// maxPressed limits the growth of the rate after a pause: if more time than maxPressed has
	// passed since the last answer, the rate grows as if only maxPressed had passed.
	maxPressed = time.Second
	// maxIndependent is the largest share of refusals that can be independent of the rate; a larger
	// share means an outage.
	maxIndependent = 0.9
	// settling is the time after a cut in which refusals are ignored, because an exceeded quota is
	// still exhausted at first. For a request during that time, the method sent returns unsteady
	// instead of the number of cuts.
	settling = 250 * time.Millisecond
	unsteady = -1
)

// ControllerOptions are the settings of a Controller.
type ControllerOptions struct {
	// Name is the name of the quota, such as "destination" or "kms". It appears in the error of an
	// interrupted wait.
	Name string
	// Cap is a rate in requests per second that is never exceeded; 0 means no cap.
	Cap float64
	// Now is the clock; nil means time.Now. The clock and the timers that end waits must be both
	// real or both simulated.
	Now func() time.Time
}

// Controller controls one rate. It is safe for concurrent use by several clients. A nil Controller
// limits nothing.
//
// Until the service refuses more than a small random share of requests, the cap is the only limit.
// Then the rate is cut to slightly below the rate that the service accepted. If fewer requests are
// refused after the cut, a quota was exceeded. The rate then grows again: quickly toward the rate
// at which it was last throttled, slowly around that rate, and beyond it faster and faster while
// nothing is throttled. If as many requests are refused as before the cut, the refusals do not
// depend on the rate. The cut is then undone, and that share of refusals is tolerated. This test of
// a cut is repeated later, at growing intervals. Only requests sent after a cut count for the test.
// The rate grows only while requests have to wait, because the service's response to an unused rate
// is unknown.
type Controller struct {
	name  string
	cap   float64 // math.Inf(1) for none
	now   func() time.Time
	pacer *pacer

	mu    sync.Mutex
	rate  float64 // estimated rate of the service; math.Inf(1) until it first throttles
	curve curve
	cuts  int
	// steady is the end of the settling time after the last cut, when the cut has taken effect.
	steady time.Time
	sends  flow
	takes  flow // weight that the service accepted
	heard  time.Time

	last       share       // refused share of all recent answers
	alarm      alarm       // detects refusals in the answers since the last cut
	stray      float64     // refused share that does not depend on the rate
	strayAt    float64     // rate at which the last test of a cut found that share
	experiment *experiment // test of the last cut; nil once it is decided
	burst      *burst      // suspected burst that caused the last cuts; nil if there is none

	burstOver time.Time // when the last burst ended
	tryAgain  time.Time
	interval  time.Duration
}

// NewController returns a Controller.
func NewController(o ControllerOptions) *Controller {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Cap <= 0 {
		o.Cap = math.Inf(1)
	}
	return &Controller{
		name: o.Name, cap: o.Cap, now: o.Now, pacer: newPacer(o.Cap, o.Now), rate: math.Inf(1), interval: firstRetry,
	}
}

// Rate returns the limit in requests per second, and whether there is a limit. If there is no
// limit, the rate is 0.
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

// wait blocks until the rate allows weight to be sent. The result waited reports whether it blocked
// while no cut was being tested. If ctx ends first, the error wraps the error of ctx.
func (c *Controller) wait(ctx context.Context, weight float64) (waited bool, err error) {
	if c == nil {
		return false, nil
	}
	if waited, err = c.pacer.wait(ctx, weight); err != nil {
		return waited, &smithy.CanceledError{Err: fmt.Errorf("wait for the rate of %s: %w", c.name, err)}
	}
	return waited && !c.isTrying(), nil
}

func (c *Controller) isTrying() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.experiment != nil
}

// sent records that weight is being sent. It returns the number of cuts so far, which the caller
// passes to answered.
func (c *Controller) sent(weight float64) (cuts int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	c.sends.add(now, weight)
	if now.Before(c.steady) {
		return unsteady
	}
	return c.cuts
}

// took records that the service accepted weight, independently of when it was sent.
func (c *Controller) took(weight float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.takes.add(c.now(), weight)
}

// answered updates the controller with an answer of the service. The parameter cuts is the number
// that sent returned for the request.
func (c *Controller) answered(cuts int, isRefused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cuts != c.cuts {
		return // the rate has changed since the request was sent
	}
	now := c.now()
	if !isRefused && c.rate <= minRate {
		c.alarm, c.last = alarm{}, share{} // the refusals were from an outage that is over
	}
	c.grow(now, isRefused)
	c.last.add(isRefused)
	if c.burst != nil && c.isOver(now, isRefused) {
		return
	}
	if c.experiment != nil {
		c.judge(now, c.experiment.add(now, isRefused))
		return
	}
	borne := c.stray + maxStray
	switch {
	case c.alarm.add(now, isRefused, borne):
		c.cut(now, c.alarm.share(&c.last, borne), c.stray)
	case c.last.answers < measured || c.stray <= maxStray:
	case c.last.value()+3*c.last.spread() < c.stray:
		c.stray = c.last.value() + 3*c.last.spread()
	case now.After(c.tryAgain):
		c.tryStray(now)
	}
}

// tryStray cuts the rate to test whether the tolerated share of refusals is still independent of
// the rate. If the test cannot give a result, for example at a rate of one per second, tryStray
// does not cut the rate. It also does not cut the rate while much less is sent than when that share
// was found: a quota below that rate would refuse more. A test could then only succeed because the
// refusals are over, and would take the little that is sent for the quota.
func (c *Controller) tryStray(now time.Time) {
	c.tryAgain = now.Add(c.interval)
	if c.sends.rate(now) < c.strayAt/2 {
		return
	}
	before := bearing{c.rate, c.curve}
	if c.cut(now, c.last.value(), 0); c.experiment == nil {
		c.goBack(before)
		return
	}
	c.experiment.sum = prior
}

// begin cuts the rate and starts a test of the cut. The parameter refused is the share of requests
// that was refused.
func (c *Controller) begin(refused float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut(c.now(), refused, c.stray)
}

// forget is called when a draw begins to be paced alone. It undoes the effects that this draw's
// refusals had on the rate, including a cut that is still being tested.
func (c *Controller) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alarm, c.last, c.burst = alarm{}, share{}, nil
	if c.experiment != nil {
		c.takeBack()
	}
	c.tryAgain = c.now().Add(c.interval)
}

// reset discards all evidence about refusals and removes the limit.
func (c *Controller) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.curve, c.last, c.alarm, c.stray, c.strayAt, c.experiment, c.burst, c.interval = curve{}, share{}, alarm{}, 0, 0, nil, nil, firstRetry
	c.setRate(math.Inf(1))
}

// grow lets the rate grow by the time since the last answer, if requests had to wait in that time.
func (c *Controller) grow(now time.Time, isRefused bool) {
	passed := min(now.Sub(c.heard), maxPressed)
	c.heard = now
	if isRefused || c.experiment != nil || math.IsInf(c.rate, 1) || !c.pacer.busy() {
		return
	}
	c.curve.pressed += passed
	c.setRate(c.curve.rate())
}

func (c *Controller) setRate(rate float64) {
	c.rate = rate
	c.pacer.setRate(min(rate, c.cap))
}

// cut lowers the rate. The parameter refused is the share of requests that was refused, and stray
// is the part of that share that does not depend on the rate.
func (c *Controller) cut(now time.Time, refused, stray float64) {
	before := bearing{c.rate, c.curve}
	if c.experiment != nil {
		before = c.experiment.before
	}
	// A quota shared with other clients can be exhausted although this client sends little.
	used := min(c.rate, c.sends.rate(now))
	// If the rate has just grown beyond a small quota, most of the last answers are for requests
	// sent before the growth, so the accepted rate is more accurate.
	took := c.takes.rate(now) / max(used, minRate)
	taken := min(min(1-refused, took)/(1-min(stray, maxIndependent)), 1)
	c.burst = c.burst.next(now, c.burstOver, before, max(refused, c.alarm.first), took)
	rate := max(used*min(max(keep*taken, minKeep), keep), minRate)
	// If most requests are refused, the cause can be an outage or a lower quota, so the best rate
	// is kept for now.
	if taken >= minShare || c.curve.best == 0 {
		c.curve.best = used * max(taken, minShare)
	}
	c.curve.best = max(c.curve.best, rate)
	c.curve.from, c.curve.pressed = rate, 0
	if c.experiment = newExperiment(before, refused, max(1-(1-refused)*used/rate, stray)); c.experiment != nil {
		c.experiment.taken = used * taken
	}
	c.alarm = alarm{}
	c.cuts++
	c.heard, c.steady = now, now.Add(settling)
	c.setRate(rate)
}

// isOver reports whether a burst of refusals has ended. If the burst has ended, isOver undoes the
// cuts that the burst caused.
func (c *Controller) isOver(now time.Time, isRefused bool) bool {
	f := c.burst.add(now, isRefused)
	if f == undecided {
		return false
	}
	if f == useless {
		c.goBack(c.burst.before)
		c.experiment, c.alarm, c.last, c.burstOver = nil, alarm{}, share{}, now
	}
	c.burst = nil
	return f == useless
}

// judge applies the result of an experiment.
func (c *Controller) judge(now time.Time, f finding) {
	switch f {
	case undecided:
	case helped:
		c.stray = min(c.stray, c.experiment.seen.value()+c.experiment.seen.spread())
		// The cut helped, so the quota is about equal to the rate accepted before the cut.
		c.curve.best = max(min(c.curve.best, c.experiment.taken), c.rate)
		c.last = c.experiment.seen // ignore the refusals before the cut, which do not apply to the present rate
		c.experiment, c.interval = nil, firstRetry
	case worse:
		c.cut(now, c.experiment.seen.value(), c.stray)
	case useless:
		c.strayAt = c.experiment.taken
		c.takeBack()
		c.stray = min(max(c.last.value()+c.last.spread(), c.stray), maxIndependent)
		c.alarm = alarm{}
		c.tryAgain, c.interval = now.Add(c.interval), min(2*c.interval, lastRetry)
	}
}

// takeBack undoes the cut that is being tested.
func (c *Controller) takeBack() {
	c.goBack(c.experiment.before)
	c.experiment = nil
}

func (c *Controller) goBack(to bearing) {
	c.curve = to.curve
	c.setRate(to.rate)
}
