package throttle

import (
	"math"
	"time"
)

const (
	// climb is the time in which a rate returns to the best rate.
	climb = 3 * time.Second
	// probe is how far a rate exceeds the best rate, as a share of it, if there is no throttling
	// for an interval of length climb after the best rate was reached.
	probe = 0.1
	// leapAfter is the time after which the rate is 1.5 times the best rate: probe · (leapAfter /
	// climb)³ = 0.5. From then on, the rate doubles in each interval of length doubling. It must
	// not double earlier, because some quotas allow the unused rate of one second to be used later.
	leapAfter = 5130 * time.Millisecond
	doubling  = 3 * time.Second
)

// curve describes how a rate grows after a cut. It begins as a cubic function that is flat around
// the best rate, as in RFC 9438 (CUBIC), section 4.2, but scaled to the rate. It continues as an
// exponential function once the best rate has turned out to be outdated.
type curve struct {
	from    float64       // rate after the cut
	best    float64       // rate that the service accepted
	pressed time.Duration // time since the cut in which requests waited
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
	// flowWindow is half of the time over which a flow measures the rate.
	flowWindow = 500 * time.Millisecond
	// minFlow is the shortest time over which a flow measures the rate.
	minFlow = 20 * time.Millisecond
)

// flow measures a recent rate per second.
type flow struct {
	start             time.Time // start of the present window
	present, previous float64
}

func (f *flow) add(now time.Time, weight float64) {
	f.turn(now)
	f.present += weight
}

// rate returns the recent rate per second.
func (f *flow) rate(now time.Time) float64 {
	f.turn(now)
	span := now.Sub(f.start)
	if f.previous > 0 {
		span += flowWindow
	}
	return (f.present + f.previous) / max(span, minFlow).Seconds()
}

// turn begins a new window if the present one is over.
func (f *flow) turn(now time.Time) {
	switch passed := now.Sub(f.start); {
	case passed < flowWindow:
	case passed < 2*flowWindow:
		f.start, f.present, f.previous = f.start.Add(flowWindow), 0, f.present
	default:
		f.start, f.present, f.previous = now, 0, 0
	}
}
