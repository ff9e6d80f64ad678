package daemon

import (
	"context"
	"log/slog"
	"time"

	"syncd/internal/daemon/appointment"
)

// verifier verifies the destination of one mapping after the first pass that ends once the schedule is
// due. The ledger then has the result of that pass, so that a difference is not only the delay of the
// next pass. A verification needs no place in line, because it copies nothing.
type verifier struct {
	schedule appointment.Schedule // nil for never
	runner   *opened
	log      *slog.Logger
	now      func() time.Time
	due      time.Time
}

func newVerifier(schedule appointment.Schedule, runner *opened, log *slog.Logger, now func() time.Time) verifier {
	v := verifier{schedule: schedule, runner: runner, log: log, now: now}
	v.plan()
	return v
}

// plan computes when the next verification is due.
func (v *verifier) plan() {
	if v.schedule != nil {
		v.due = v.schedule.Next(v.now().UTC().Round(0))
	}
}

// verify verifies the destination if that is due. If it fails, it is tried again after the next pass.
func (v *verifier) verify(ctx context.Context) {
	w := v.runner.worker()
	if v.schedule == nil || w == nil || v.now().UTC().Round(0).Before(v.due) {
		return
	}
	err := v.runner.guarded(func() error { return w.VerifyScheduled(ctx) })
	switch {
	case err == nil:
		v.plan()
	case ctx.Err() == nil:
		v.log.Warn("verification failed, it is tried again after the next pass", "err", err)
	}
}
