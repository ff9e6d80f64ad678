package history

import (
	"slices"
	"time"
)

// The values of PassRecord that say nothing about how passes fare: one that was drained may have failed later, and a replay lists nothing.
const (
	resultDrained = "drained"
	triggerReplay = "replay"
)

// Failures returns how passes fare by a history, oldest first: the last pass that reached its end or failed, the zero record for none; and
// how many have failed in a row until it, since when, which are zero when it did not fail.
func Failures(passes []Pass) (last Pass, since time.Time, times int64) {
	for _, p := range slices.Backward(passes) {
		if p.Result == resultDrained || p.Trigger == triggerReplay {
			continue
		}
		if last.EndedAt.IsZero() {
			last = p
		}
		if p.Class == "" {
			break
		}
		times += max(p.Times, 1)
		if since = p.EndedAt; p.Times > 1 {
			since = p.BeganAt
		}
	}
	return last, since, times
}
