package history

import (
	"slices"
	"time"
)

// tells reports whether a pass says how passes fare: one that was drained may have failed later,
// and a replay lists nothing.
func (r Pass) tells() bool { return r.Result != ResultDrained && r.Trigger != TriggerReplay }

// inRow returns the record with which of the passes in a row it is that failed after those before,
// and since when they do.
func (r Pass) inRow(before []Pass) Pass {
	r.FailingSince, r.FailedInRow = time.Time{}, 0
	if r.Class != "" && r.tells() {
		_, r.FailingSince, r.FailedInRow = Failures(append(slices.Clone(before), r))
	}
	return r
}

// Failures returns how passes fare by a history, oldest first: the last pass that reached its end
// or failed, the zero record for none; and how many have failed in a row until it, since when,
// which are zero when it did not fail. The oldest of these that the history has knows of those that
// it has forgotten.
func Failures(passes []Pass) (last Pass, since time.Time, times int64) {
	var first Pass
	for _, p := range slices.Backward(passes) {
		if !p.tells() {
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
	case first.Times > 1: // of a version that knew neither
		since = first.BeganAt
	default:
		since = first.EndedAt
	}
	return last, since, times
}
