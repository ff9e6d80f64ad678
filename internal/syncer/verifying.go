package syncer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"

	"syncd/internal/plan"
	"syncd/internal/syncer/repeats"
	"syncd/internal/syncer/verify"
)

// Verify compares the destination with the ledger and the source, and writes nothing. It works while
// another process holds the lease. If it returns an error, the report has the counts up to that point.
// Otherwise it sets the metrics of the last verification, if every key could be judged.
func (s *Syncer) Verify(ctx context.Context, r verify.Request) (report verify.Report, err error) {
	o := &s.shared.o
	before, start := o.Meter.Counts(), o.Now()
	err = guarded(func() (err error) {
		report, err = verify.Make(ctx, s.previews(), r, o.Copier)
		return err
	})
	report.Requests, report.Seconds = o.Meter.Counts().Since(before).Requests, o.Now().Sub(start).Seconds()
	if err != nil {
		err = firstCause(ctx, err)
		report.Error = err.Error()
		return report, err
	}
	s.setVerified(report)
	return report, nil
}

// setVerified sets the metrics of the last verification, unless a pass is writing some keys, which could
// hide differences.
func (s *Syncer) setVerified(r verify.Report) {
	if r.Unsettled > 0 {
		return
	}
	for _, kind := range plan.DifferenceKinds() {
		s.shared.count.differences.WithLabelValues(string(kind)).Set(float64(r.Differences[kind]))
	}
	s.shared.count.verified.WithLabelValues().Set(float64(s.shared.o.Now().Unix()))
}

// Repair runs a pass that verifies the destination and mends what differs. See Do.
func (s *Syncer) Repair(ctx context.Context, r verify.Request) (verify.Report, Summary, error) {
	found := verify.NewFindings(r, s.shared.o.Mapping, s.shared.o.Copier)
	summary, err := s.Do(ctx, Order{Verify: found, Trigger: TriggerVerify})
	report := found.Report()
	report.Generation, report.Requests, report.Seconds, report.Error = summary.Generation, summary.Requests, summary.Seconds, summary.Error
	return report, summary, err
}

// VerifyScheduled verifies the destination as Options.Inspect says, and logs the result. It logs the first
// difference of each kind, and only counts the others. The error is ErrUnsettled if not all keys could be
// judged.
func (s *Syncer) VerifyScheduled(ctx context.Context) error {
	o, start := &s.shared.o, s.shared.o.Now()
	var found repeats.Counter
	report, err := s.Verify(ctx, verify.Request{Share: o.Inspect, Seed: rand.Uint64(), Walked: s.shared.count.beat, Found: func(d plan.Difference) error {
		isFirst := found.First(string(d.Kind), o.Now(), func(log *slog.Logger, since, all int64) {
			log.Warn("differences found", "kind", string(d.Kind), "objects", since, "total", all)
		})
		if isFirst {
			o.Logger.Warn("difference found", "kind", string(d.Kind), "key", d.Key, "detail", d.Detail)
		} else {
			o.Logger.Debug("difference found", "kind", string(d.Kind), "key", d.Key, "detail", d.Detail)
		}
		return nil
	}})
	found.End(o.Logger, o.Now())
	if err != nil {
		return err
	}
	o.Logger.Info("verification ended", "generation", report.Generation, "listed", report.Listed, "intact", report.Intact, "inspected", report.Inspected,
		"unsettled", report.Unsettled, "differences", report.Total(), "duration", o.Now().Sub(start))
	if report.Unsettled > 0 {
		return fmt.Errorf("%w: %d keys", ErrUnsettled, report.Unsettled)
	}
	return nil
}

// ErrUnsettled means that a verification could not judge all keys, because a pass may be writing them.
var ErrUnsettled = errors.New("keys that a pass may be writing were not judged")
