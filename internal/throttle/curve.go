package throttle

import (
	"math"
	"time"
)

const (
	// climb is the time in which a rate comes back to its best.
	climb = 3 * time.Second
	// probe is the share by which a rate exceeds its best when as much time again has passed
	// without a verdict against it.
	probe = 0.1
	// leapAfter is when a probe has found half as much again: probe · (leapAfter / climb)³. From
	// there the rate doubles in doubling. An earlier leap would be led on by quotas that let a
	// second of unused rate be made up for.
	leapAfter = 5130 * time.Millisecond
	doubling  = 3 * time.Second
)

// curve is how a rate grows after a cut: a cubic, flat around its best, as of RFC 9438 (CUBIC),
// section 4.2, but in proportion to the rate, and an exponential where the best has proved to be
// out of date.
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
