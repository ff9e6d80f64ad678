package syncer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"syncd/internal/plan"
	"syncd/internal/syncer/verify"
)

// Verify compares the destination with the ledger and the source, and writes nothing. It works while
// another process holds the lease. If it returns an error, the report has the counts up to that point.
// Otherwise it sets the metrics of the last verification.
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

// setVerified sets the metrics of the last verification, without the differences that the next pass mends
// anyway. The time of the last verification is set only if every key was judged.
func (s *Syncer) setVerified(r verify.Report) {
	for _, kind := range plan.DifferenceKinds() {
		s.shared.count.differences.WithLabelValues(string(kind)).Set(float64(r.Differences[kind] - r.Pending[kind]))
	}
	if r.Unsettled == 0 {
		s.shared.count.verified.WithLabelValues().Set(float64(s.shared.o.Now().Unix()))
	}
}

// Repair runs a pass that verifies the destination and mends what differs. See Do.
func (s *Syncer) Repair(ctx context.Context, r verify.Request) (verify.Report, Summary, error) {
	found := verify.NewFindings(r, s.shared.o.Mapping, s.shared.o.Copier)
	summary, err := s.Do(ctx, Order{Verify: found, Trigger: TriggerVerify})
	report := found.Report()
	report.Generation, report.Requests, report.Seconds = summary.Generation, summary.Requests, summary.Seconds
	if err != nil {
		report.Error = err.Error()
	}
	return report, summary, errors.Join(err, found.Failure())
}

// VerifyScheduled verifies the destination as Options.Inspect says, and logs the result. The error is
// ErrUnsettled if not all keys could be judged.
func (s *Syncer) VerifyScheduled(ctx context.Context) error {
	o := &s.shared.o
	lines := verify.Log{Log: o.Logger, Now: o.Now}
	report, err := s.Verify(ctx, verify.Request{Share: o.Inspect, Seed: rand.Uint64(), Walked: s.shared.count.beat, Found: lines.Found})
	lines.End(report, err)
	if err == nil && report.Unsettled > 0 {
		err = fmt.Errorf("%w: %d keys", ErrUnsettled, report.Unsettled)
	}
	return err
}

// ErrUnsettled means that a verification could not judge all keys, because a pass may be writing them.
var ErrUnsettled = errors.New("keys that a pass may be writing were not judged")
