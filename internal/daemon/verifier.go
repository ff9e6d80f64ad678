package daemon

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"syncd/internal/daemon/appointment"
	"syncd/internal/syncer"
)

// verifier verifies the destination of one mapping after the first pass that ends once the schedule is
// due. The ledger then has the result of that pass, so that a difference is not only the delay of the
// next pass. A verification needs neither a place in line nor the lease, because it only reads, so later
// passes do not wait for it.
type verifier struct {
	schedule appointment.Schedule // nil for never
	runner   *opened
	log      *slog.Logger
	now      func() time.Time
	working  sync.WaitGroup

	mu         sync.Mutex
	due        time.Time
	isRunning  bool
	incomplete int // verifications in a row that could not judge all keys
}

func newVerifier(schedule appointment.Schedule, runner *opened, log *slog.Logger, now func() time.Time) *verifier {
	v := &verifier{schedule: schedule, runner: runner, log: log, now: now}
	v.plan()
	return v
}

// plan computes when the next verification is due. A schedule follows the wall clock in UTC.
func (v *verifier) plan() {
	if v.schedule != nil {
		v.due = v.schedule.Next(v.clock())
	}
}

func (v *verifier) clock() time.Time { return v.now().UTC().Round(0) }

// passed is called after each complete pass. It starts a verification if one is due and none is running.
func (v *verifier) passed(ctx context.Context) {
	w := v.runner.worker()
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.schedule == nil || w == nil || v.isRunning || v.clock().Before(v.due) {
		return
	}
	v.isRunning = true
	v.working.Go(func() { v.ended(ctx, w.VerifyScheduled(ctx)) })
}

// mostIncomplete is how many verifications in a row may be incomplete. After the last of them the schedule
// applies again: in a busy mapping a pass is always writing some keys.
const mostIncomplete = 3

// ended records the result of a verification. If it failed, it is tried again after the next pass.
func (v *verifier) ended(ctx context.Context, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.isRunning = false
	isIncomplete := errors.Is(err, syncer.ErrUnsettled)
	if v.incomplete++; !isIncomplete {
		v.incomplete = 0
	}
	switch {
	case err == nil, v.incomplete >= mostIncomplete:
		v.incomplete = 0
		v.plan()
	case ctx.Err() != nil: // the mapping ends
	case isIncomplete:
		v.log.Info("verification is incomplete, it is tried again after the next pass", "err", err)
	default:
		v.log.Warn("verification failed, it is tried again after the next pass", "err", err)
	}
}

// wait waits until the verification that is running has ended. Its context must have ended.
func (v *verifier) wait() { v.working.Wait() }
