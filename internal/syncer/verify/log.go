package verify

import (
	"log/slog"
	"time"

	"syncd/internal/plan"
	"syncd/internal/syncer/repeats"
)

// Log logs the differences of a scheduled verification: the first of each kind, and then counts.
type Log struct {
	Log *slog.Logger
	Now func() time.Time

	found repeats.Counter
}

// Found logs a difference. Those that the next pass mends anyway are logged at debug level.
func (l *Log) Found(d plan.Difference) error {
	if !d.IsPending && l.found.First(string(d.Kind), l.Now(), countsOf(d.Kind)) {
		l.Log.Warn("difference found", "kind", string(d.Kind), "key", d.Key, "detail", d.Detail)
	} else {
		l.Log.Debug("difference found", "kind", string(d.Kind), "key", d.Key, "detail", d.Detail)
	}
	return nil
}

func countsOf(kind plan.DifferenceKind) func(log *slog.Logger, since, all int64) {
	return func(log *slog.Logger, since, all int64) {
		log.Warn("differences found", "kind", string(kind), "objects", since, "total", all)
	}
}

// End logs the remaining counts and the result, unless the verification failed.
func (l *Log) End(r Report, failure error) {
	l.found.End(l.Log, l.Now())
	if failure != nil {
		return
	}
	l.Log.Info("verification ended", "generation", r.Generation, "listed", r.Listed, "intact", r.Intact, "inspected", r.Inspected,
		"unsettled", r.Unsettled, "differences", r.Total(), "pending", r.TotalPending(), "duration", time.Duration(r.Seconds*float64(time.Second)))
}
