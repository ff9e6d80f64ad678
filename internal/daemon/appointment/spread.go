package appointment

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

const (
	// startTogether is how many mappings may start at once; of more each waits up to startStep for
	// each that is beyond, and never more than startMost.
	startTogether = 10
	startStep     = 100 * time.Millisecond
	startMost     = 5 * time.Minute
)

// Spread is the schedule of an interval that many mappings have. Each has its ticks at a place in
// the interval that its name decides, so that they do not come together, and come at the same times
// after a restart.
type Spread struct {
	interval, phase time.Duration
	text            string
}

// NewSpread returns the schedule of a mapping; text is the schedule for people.
func NewSpread(mapping string, interval time.Duration, text string) Spread {
	return Spread{interval, time.Duration(fraction(mapping) * float64(interval)), text}
}

// Next returns the first tick after t.
func (s Spread) Next(t time.Time) time.Time {
	since := t.Sub(time.Unix(0, 0)) - s.phase
	return t.Add(s.interval - since%s.interval)
}

// String is the schedule for people.
func (s Spread) String() string { return s.text }

// StartDelay is how long a mapping waits that is one of so many that start together.
func StartDelay(mapping string, together int) time.Duration {
	window := time.Duration(max(together-startTogether, 0)) * startStep
	return time.Duration(fraction(mapping) * float64(min(window, startMost)))
}

// fraction returns a number in [0, 1) that is always the same for a name, and as good as random
// among names that are alike.
func fraction(name string) float64 {
	sum := sha256.Sum256([]byte(name))
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}
