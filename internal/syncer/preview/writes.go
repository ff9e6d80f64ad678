package preview

import (
	"cmp"
	"time"
)

// ledgerWrites estimates how many ledger records a pass writes or deletes if it makes the given
// number of changes in the given number of seconds. Each save writes a chunk and a progress record,
// and deletes an older progress record. The chunk is deleted later, when it is merged into a larger
// chunk. Each claim writes a progress record and deletes an older progress record. The end of the
// pass writes a chunk and the manifest.
func (o *Options) ledgerWrites(changes int64, seconds float64) int64 {
	if changes == 0 {
		return 1
	}
	entries := cmp.Or(int64(o.Ledger.FlushEntries), 4096) // the default of checkpoint.Options, as is the default interval below
	interval := cmp.Or(o.Ledger.FlushInterval, 10*time.Second)
	saves := (changes-1)/entries + savesInTime(seconds, interval)
	claims := 1 + changes/o.ActionsPerClaim
	return 4*saves + 2*claims + 2
}

// savesInTime returns how many saves the flush interval causes in a pass of the given duration. The
// first save is after one second; the time between saves then doubles up to the interval.
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
