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
	// some requests are needed to find out whether the throttling is over.
	minRate = 1
	// keep is the share of the accepted rate that remains after a cut. minKeep is the minimum share
	// of the sending rate that remains, because a run of refusals says little about the rate.
	keep, minKeep = 0.9, 0.3
	// minShare is the smallest accepted share of requests from which the service's rate is
	// inferred.
	minShare = 0.5
	// outageShare is the share of requests taken below which the service is thought to be down, and
	// not to have a lower quota.
	outageShare = 0.01
	// maxPressed is the longest time between two answers that counts for the growth of a rate.
	maxPressed = time.Second
	// maxIndependent is the largest share of refusals that is considered independent of the rate; a
	// larger share means an outage.
	maxIndependent = 0.9
	// settling is the time after a cut in which refusals prove nothing, because an exceeded quota
	// is exhausted at first. Requests sent in that time have unsteady as their number of cuts.
	settling = 250 * time.Millisecond
	unsteady = -1
)

// ControllerOptions are the settings of a Controller.
type ControllerOptions struct {
	// Name is the name of the quota, such as "destination" or "kms". It appears in the error of a
	// wait that was interrupted.
	Name string
	// Cap is a rate that is never exceeded, in requests per second; 0 means none.
	Cap float64
	// Now is the clock; nil means time.Now. It must agree with the timers that end the waits.
	Now func() time.Time
}

// Controller controls one rate. It is safe for concurrent use by several clients. A nil Controller
// limits nothing.
//
// There is no limit except the cap until the service refuses more than a small random share. Then
// the rate is cut to slightly below what the service accepted. If fewer requests are refused after
// the cut, a quota was exceeded. From there the rate grows: quickly toward the rate at which it was
// last throttled, slowly around it, and faster beyond it the longer nothing is throttled. If as
// many are refused as before, the refusals do not depend on the rate: the cut is undone and that
// share of refusals is tolerated. The test is repeated later, at growing intervals. Only requests
// sent after a cut show whether it helped. Time in which no request had to wait does not count,
// because an unused rate proves nothing.
type Controller struct {
	name  string
	cap   float64 // math.Inf(1): none
	now   func() time.Time
	pacer *pacer

	mu    sync.Mutex
	rate  float64 // estimated rate of the service; math.Inf(1) until it first throttles
	curve curve
	cuts  int
	// steady is when the service has recovered from the time before the last cut.
	steady time.Time
	sends  flow
	takes  flow // what the service did not refuse
	heard  time.Time

	last       share       // over all answers
	alarm      alarm       // over the answers since the last cut
	stray      float64     // the refused share that does not depend on the rate
	experiment *experiment // of the last cut, until it is decided
	isOutage   bool        // the service took nothing before one of the cuts since one has helped
	burst      *burst      // that the last cuts are for, while it may be one

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

// Rate returns the limit in requests per second, and whether there is a limit. Without one the rate
// is 0.
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

// wait blocks until weight may be sent. Waited reports whether that took a wait for a rate that is
// known to matter. The error is that of ctx.
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

// sent records that weight is being sent, and returns the number of cuts before it, for answered.
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

// took records that the service accepted weight, whenever it was sent.
func (c *Controller) took(weight float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.takes.add(c.now(), weight)
}

// answered learns from an answer to a request sent after that number of cuts.
func (c *Controller) answered(cuts int, isRefused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cuts != c.cuts {
		return // it was sent at a rate that has since been changed
	}
	now := c.now()
	if !isRefused && c.rate <= minRate {
		c.alarm = alarm{} // the refusals were from an outage that is over
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
		c.stray = c.last.value() + c.last.spread()
	case now.After(c.tryAgain):
		c.tryStray(now)
	}
}

// tryStray cuts the rate to test whether the tolerated share of refusals still does not depend on
// it. If the test could show nothing, as at a rate of one per second, it cuts nothing.
func (c *Controller) tryStray(now time.Time) {
	c.tryAgain = now.Add(c.interval)
	before := bearing{c.rate, c.curve}
	if c.cut(now, c.last.value(), 0); c.experiment == nil {
		c.goBack(before)
	}
}

// begin cuts the rate because a share of what was sent is refused.
func (c *Controller) begin(refused float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut(c.now(), refused, c.stray)
}

// forget undoes the effects of refusals of a draw that is now paced alone, including pending ones.
func (c *Controller) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alarm, c.last, c.burst = alarm{}, share{}, nil
	if c.experiment != nil {
		c.takeBack()
	}
	c.tryAgain = c.now().Add(c.interval)
}

// reset forgets everything that was learned.
func (c *Controller) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.curve, c.last, c.alarm, c.stray, c.experiment, c.isOutage, c.burst, c.interval = curve{}, share{}, alarm{}, 0, nil, false, nil, firstRetry
	c.setRate(math.Inf(1))
}

// grow counts the time since the last answer if it justifies a higher rate.
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

// cut lowers the rate when a share of what was sent is refused, of which stray has another cause.
func (c *Controller) cut(now time.Time, refused, stray float64) {
	before := bearing{c.rate, c.curve}
	if c.experiment != nil {
		before = c.experiment.before
	}
	// A quota shared with other clients may be exhausted although little is sent from here.
	used := min(c.rate, c.sends.rate(now))
	// If the rate has just grown beyond a small quota, most of the last answers are older, and the
	// accepted rate is more accurate.
	took := c.takes.rate(now) / max(used, minRate)
	taken := min(min(1-refused, took)/(1-min(stray, maxIndependent)), 1)
	c.burst = c.burst.next(now, c.burstOver, before, max(refused, c.alarm.first), took)
	rate := max(used*min(max(keep*taken, minKeep), keep), minRate)
	// When most is refused, that may be an outage as well as a lower quota: what was good is kept
	// in mind meanwhile. Once nothing was taken it is an outage, and what is taken at its end says
	// nothing of a quota.
	c.isOutage = c.isOutage || took < outageShare
	if taken >= minShare && !c.isOutage || c.curve.best == 0 {
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

// isOver reports whether a burst of refusals has ended. If so, it undoes the cuts made for it.
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
		// That it helped shows a quota of about what was taken before, unless an outage ended.
		if !c.isOutage {
			c.curve.best = min(c.curve.best, c.experiment.taken)
		}
		c.curve.best, c.isOutage = max(c.curve.best, c.rate), false
		c.last = c.experiment.seen // what was refused before is no sign of what is now
		c.experiment, c.interval = nil, firstRetry
	case worse:
		c.cut(now, c.experiment.seen.value(), c.stray)
	case useless:
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
