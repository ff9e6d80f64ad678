package throttle

import "time"

const (
	// An experiment compares two hypotheses: the cut has lowered the refused share, or it had no
	// effect. It ends when the logarithm of their likelihood ratio reaches sure or -sure. After
	// maxExperiment it ends in any case, and the more likely hypothesis counts.
	sure          = 6
	maxExperiment = 10 * time.Second
	// prior is the logarithm of the odds, before a tolerated share of refusals is tested again, that the
	// share is still independent of the rate, because an earlier test has found that.
	prior = 3
	// tellable limits a ratio: the refused share expected if the cut has an effect, divided by the
	// share expected if the cut has no effect. If the ratio is larger, an experiment cannot
	// distinguish the two hypotheses.
	tellable = 0.8
	// firstRetry is the time until a tolerated share of refusals is first tested again, to find out
	// whether it is still independent of the rate. The time doubles with each test, up to
	// lastRetry.
	firstRetry, lastRetry = time.Second, time.Minute
)

// experiment decides whether a cut has lowered the refused share, which means that a quota was
// exceeded, or had no effect, which means that the refusals have another cause. It is a sequential
// test of the two hypotheses (A. Wald, "Sequential tests of statistical hypotheses", 1945).
type experiment struct {
	before  bearing
	taken   float64 // rate that the service accepted before the cut
	refused float64 // expected refused share if the cut has no effect
	quota   float64 // expected refused share if a quota was exceeded
	sum     float64
	seen    share
	until   time.Time
}

// bearing is the state of a controller before a cut, to which it returns if the cut did not help.
type bearing struct {
	rate  float64
	curve curve
}

type finding int

const (
	undecided finding = iota
	helped
	useless
	worse // a larger share is refused than before
)

// add counts an answer to a request sent after the cut.
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
		if t.seen.answers < measured && !hasEnded {
			return undecided
		}
		return worse
	default:
		return useless
	}
}

// newExperiment returns a test of a cut, or nil if no number of answers could decide it.
func newExperiment(before bearing, refused, quota float64) *experiment {
	refused = min(refused, 0.98)
	quota = max(quota, refused/8, maxStray/5)
	if quota > tellable*refused {
		return nil
	}
	return &experiment{before: before, refused: refused, quota: quota}
}
