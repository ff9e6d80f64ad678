package throttle

import (
	"math"
	"time"
)

const (
	// climb is the time in which a rate returns to its best.
	climb = 3 * time.Second
	// probe is the share by which a rate exceeds its best after another climb without throttling.
	probe = 0.1
	// leapAfter is when the probe has added half: probe · (leapAfter / climb)³. From there the rate
	// doubles every doubling. An earlier leap would be misled by quotas that let unused rate of a
	// second be used later.
	leapAfter = 5130 * time.Millisecond
	doubling  = 3 * time.Second
)

// curve is how a rate grows after a cut: a cubic that is flat around its best, as in RFC 9438
// (CUBIC), section 4.2, but in proportion to the rate, followed by an exponential once the best has
// proved to be outdated.
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
	// flowWindow is half the time over which a flow measures.
	flowWindow = 500 * time.Millisecond
	// minFlow is the shortest time over which a flow measures.
	minFlow = 20 * time.Millisecond
)

// flow measures a recent rate per second.
type flow struct {
	start             time.Time // of the present window
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
