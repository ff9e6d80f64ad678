package daemon

import (
	"context"
	"errors"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/syncer/denial"
)

const (
	// recallEvery is how often the ledger is read of a mapping whose passes run elsewhere, recallAgain how soon after a reading that
	// was interrupted, and recallTimeout how long a reading may take. A reading is two LISTs and up to three GETs.
	recallEvery   = 5 * time.Minute
	recallAgain   = 30 * time.Second
	recallTimeout = 30 * time.Second
	// recallsAtOnce bounds the readings at once in a process: all mappings of a fleet begin together.
	recallsAtOnce = 8
)

// recaller is a Runner that can read its ledger and its history without the lease, so that the metrics show what the last generation says, and
// what became of the last passes is known.
type recaller interface {
	Recall(ctx context.Context)
}

// recall reads the ledger while the mapping waits, where no pass of this process shows what is in it: after the start, while the
// passes fail early or run elsewhere, and now and then without a schedule. The caller calls stop before it uses the runner. A mapping that
// could not be opened is left alone.
func (k *keeper) recall(ctx context.Context) (stop func()) {
	isElsewhere := !k.passed || k.m.Schedule == nil
	if ctx.Err() != nil || !isElsewhere || k.asked && k.runner == nil || k.d.o.Now().Before(k.recallDue) && k.m.Schedule != nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		k.recallNow(ctx)
		for k.m.Schedule == nil && ctx.Err() == nil {
			timer := time.NewTimer(k.recallDue.Sub(k.d.o.Now()))
			select {
			case <-ctx.Done():
			case <-timer.C:
				k.recallNow(ctx)
			}
			timer.Stop()
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// recallNow reads the ledger, unless that was done a moment ago, and decides when it is read again.
func (k *keeper) recallNow(ctx context.Context) {
	now := k.d.o.Now()
	if now.Before(k.recallDue) {
		return
	}
	k.recallDue = now.Add(recallAgain)
	if k.readLedger(ctx) {
		k.recallDue = now.Add(recallEvery)
	}
}

// readLedger reports whether it had its turn and was not interrupted.
func (k *keeper) readLedger(ctx context.Context) (hasRead bool) {
	select {
	case k.d.recalls <- struct{}{}:
		defer func() { <-k.d.recalls }()
	case <-ctx.Done():
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, recallTimeout)
	defer cancel()
	err := k.guarded(func() error {
		runner, err := k.open(ctx)
		if err != nil {
			return err
		}
		if r, ok := runner.(recaller); ok {
			r.Recall(ctx)
			k.adoptRecalled()
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		k.log.Warn("ledger was not read", "err", err)
	}
	return ctx.Err() == nil
}

// adoptRecalled is adopt for a reading without the lease. What fails while another process has the lease is shown by that one.
func (k *keeper) adoptRecalled() {
	k.mu.Lock()
	standing := k.standing
	k.mu.Unlock()
	if !standing {
		k.adopt(k.worker())
	}
}

// adopt takes from the history how passes fare, where one ended later than those that this process has seen: in a process before it, or
// in a command. A failure lasts over a restart, and ends by a pass elsewhere that reaches its end. The caller does not hold k.mu.
func (k *keeper) adopt(w Worker) {
	if w == nil {
		return
	}
	last, since, times := checkpoint.Failures(w.History())
	k.mu.Lock()
	defer k.mu.Unlock()
	if !last.EndedAt.After(k.decided) {
		return
	}
	if k.decided = last.EndedAt; times == 0 {
		k.fail(nil)
		return
	}
	failure := errors.New(last.Error)
	if last.Result == "denied" {
		failure = &denial.Error{Since: since, Err: failure}
	}
	k.fail(&Failure{
		Class: last.Class, Text: k.d.redact.text(last.Error), Hint: k.d.redact.text(k.d.o.Hint(failure)),
		At: last.EndedAt.UTC(), Since: since.UTC(), Passes: int(times),
	})
	k.isRecalled = true
}
