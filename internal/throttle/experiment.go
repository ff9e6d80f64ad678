package throttle

import "time"

const (
	// An experiment ends when one hypothesis is sure times as likely as the other, as a logarithm,
	// or after maxExperiment, when the more likely one counts.
	sure          = 6
	maxExperiment = 10 * time.Second
	// tellable is the largest ratio of the refused shares with and without an effect of the cut for
	// which an experiment can tell.
	tellable = 0.8
	// firstRetry is the time until it is first tested again whether a share still does not depend
	// on the rate. It doubles up to lastRetry.
	firstRetry, lastRetry = time.Second, time.Minute
)

// experiment decides whether a cut has lowered the refused share, which means that a quota was
// exceeded, or had no effect, which means that the refusals have another cause. It is a sequential
// test of the two hypotheses (A. Wald, "Sequential tests of statistical hypotheses", 1945).
type experiment struct {
	before  bearing
	taken   float64 // rate that the service accepted before the cut
	refused float64 // expected share if the cut has no effect
	quota   float64 // expected share if a quota was exceeded
	sum     float64
	seen    share
	until   time.Time
}

// bearing is the state to which a controller returns if a cut did not help.
type bearing struct {
	rate  float64
	curve curve
}

type finding int

const (
	undecided finding = iota
	helped
	useless
	worse // more is refused than before
)

// add learns from an answer to a request sent after the cut.
func (t *experiment) add(now time.Time, isRefused bool) finding {
	if t.until.IsZero() {
		t.until = now.Add(maxExperiment)
	}
	t.seen.add(isRefused)
	t.sum += odds(isRefused, t.refused, t.quota)
	hasEnded := now.After(t.until)
	switch {
	case t.sum < sure && t.sum > -sure && !hasEnded:
		return undecided
	case t.sum <= 0:
		return helped
	case t.seen.value() > 1.5*t.refused+0.1:
		if t.seen.answers < measured/2 && !hasEnded {
			return undecided
		}
		return worse
	default:
		return useless
	}
}

// newExperiment returns nil if no number of answers could decide.
func newExperiment(before bearing, refused, quota float64) *experiment {
	refused = min(refused, 0.98)
	quota = max(quota, refused/8, maxStray/5)
	if quota > tellable*refused {
		return nil
	}
	return &experiment{before: before, refused: refused, quota: quota}
}
