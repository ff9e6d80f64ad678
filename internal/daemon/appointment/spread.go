package appointment

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

const (
	// Up to startTogether mappings start at the same time. If more mappings start, all starts are
	// spread over a period. The period is startStep for each mapping above startTogether, but at
	// most startMost.
	startTogether = 10
	startStep     = 100 * time.Millisecond
	startMost     = 5 * time.Minute
)

// Spread is an interval schedule that many mappings can share. The name of a mapping determines at
// which point of each interval its tick is. So the ticks of different mappings are spread, and a
// restart does not change them.
type Spread struct {
	interval, phase time.Duration
	text            string
}

// NewSpread returns the schedule of a mapping. The parameter text is its display form.
func NewSpread(mapping string, interval time.Duration, text string) Spread {
	return Spread{interval, time.Duration(fraction(mapping) * float64(interval)), text}
}

// Next returns the first tick after t.
func (s Spread) Next(t time.Time) time.Time {
	since := t.Sub(time.Unix(0, 0)) - s.phase
	return t.Add(s.interval - since%s.interval)
}

// String returns the display form of the schedule.
func (s Spread) String() string { return s.text }

// StartDelay returns how long a mapping waits before its first pass if the number of mappings that
// start at the same time is together.
func StartDelay(mapping string, together int) time.Duration {
	window := time.Duration(max(together-startTogether, 0)) * startStep
	return time.Duration(fraction(mapping) * float64(min(window, startMost)))
}

// fraction returns a number in [0, 1) that depends only on the name, and is evenly distributed even
// for similar names.
func fraction(name string) float64 {
	sum := sha256.Sum256([]byte(name))
	return float64(binary.BigEndian.Uint64(sum[:])>>11) / (1 << 53)
}
