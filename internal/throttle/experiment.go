package throttle

import "time"

const (
	// An experiment ends when one of the two is sure times as likely as the other, as a logarithm,
	// or after maxExperiment, when the likelier one counts.
	sure          = 6
	maxExperiment = 10 * time.Second
	// tellable is how much less must be refused, at the most, when a cut helps, for an experiment
	// to tell.
	tellable = 0.8
	// firstRetry is when it is tried again whether a share that was found not to depend on the rate
	// still does not; lastRetry is the longest that this takes, after doubling.
	firstRetry, lastRetry = time.Second, time.Minute
)

// experiment finds whether a cut has lowered the refused share, as it does where a quota was
// exceeded, or has changed nothing, as where the refusals have another reason. It is a sequential
// test of the two (A. Wald, "Sequential tests of statistical hypotheses", 1945).
type experiment struct {
	before  bearing
	taken   float64 // what the service took a second before the cut
	refused float64 // the share without an effect of the cut
	quota   float64 // the share if a quota was exceeded
	sum     float64
	seen    share
	until   time.Time
}

// bearing is what a controller goes back to when a cut did not help.
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

// add learns from an answer to a request that was sent after the cut.
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

// newExperiment returns nil when no answers could tell.
func newExperiment(before bearing, refused, quota float64) *experiment {
	refused = min(refused, 0.98)
	quota = max(quota, refused/8, maxStray/5)
	if quota > tellable*refused {
		return nil
	}
	return &experiment{before: before, refused: refused, quota: quota}
}
