package history

import (
	"slices"
	"time"
)

// isConclusive reports whether the result of r shows whether passes of the mapping currently
// succeed. The result of a drained pass does not, because the pass might have failed later. The
// result of a replay does not, because a replay does not list the source.
func (r Pass) isConclusive() bool { return r.Result != ResultDrained && r.Trigger != TriggerReplay }

// inRow returns r with FailingSince and FailedInRow set: the time of the first of the consecutive
// failures up to r, and the number of these failures, including r.
func (r Pass) inRow(before []Pass) Pass {
	r.FailingSince, r.FailedInRow = time.Time{}, 0
	if r.Class != "" && r.isConclusive() {
		_, r.FailingSince, r.FailedInRow = Failures(append(slices.Clone(before), r))
	}
	return r
}

// Failures summarizes a history, oldest pass first. The result last is the last pass that completed
// or failed, zero if there is none. The result times is the number of consecutive failures up to
// that pass, and since is the time of the first of them; both are zero if last did not fail. The
// oldest failure in passes also contains the number and the start of consecutive failures that were
// removed from the history.
func Failures(passes []Pass) (last Pass, since time.Time, times int64) {
	var first Pass
	for _, p := range slices.Backward(passes) {
		if !p.isConclusive() {
			continue
		}
		if last.EndedAt.IsZero() {
			last = p
		}
		if p.Class == "" {
			break
		}
		first = p
		times += max(p.Times, 1)
	}
	switch {
	case times == 0:
	case first.FailedInRow > 0:
		since, times = first.FailingSince, times+max(first.FailedInRow-max(first.Times, 1), 0)
	case first.Times > 1: // written by a version without FailedInRow
		since = first.BeganAt
	default:
		since = first.EndedAt
	}
	return last, since, times
}
