package preview

import (
	"cmp"
	"time"
)

// ledgerWrites estimates how many records a pass writes that makes so many changes in that time:
// with each save a chunk, which is removed when it was merged into a larger one, a progress record,
// and the removal of an older one; with each claim a progress record and such a removal; at the end
// a chunk and the manifest.
func (o *Options) ledgerWrites(changes int64, seconds float64) int64 {
	if changes == 0 {
		return 1
	}
	entries := cmp.Or(int64(o.Ledger.FlushEntries), 4096) // as checkpoint.Options has it, like the interval
	interval := cmp.Or(o.Ledger.FlushInterval, 10*time.Second)
	saves := (changes-1)/entries + savesInTime(seconds, interval)
	claims := 1 + changes/o.ActionsPerClaim
	return 4*saves + 2*claims + 2
}

// savesInTime is how often a pass of that many seconds is saved because of its time: first after a
// second, then after twice as long each time, up to the interval.
func savesInTime(seconds float64, interval time.Duration) (saves int64) {
	patience := min(time.Second, interval)
	left := time.Duration(seconds * float64(time.Second))
	for ; patience < interval && left >= patience; saves++ {
		left -= patience
		patience = min(2*patience, interval)
	}
	if left > 0 && interval > 0 {
		saves += int64(left / interval)
	}
	return saves
}
