package daemon

import (
	"context"
	"errors"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/deadline"
	"syncd/internal/syncer"
)

const (
	// recallEvery is how often the ledger and the history are read of a mapping whose lease this process does not hold: two LISTs and two GETs,
	// and more only while objects are in quarantine. In a day these are 1,152 requests for a mapping, which are 0.31 cents, or
	// 0.09 dollars in 30 days, at 0.005 dollars per 1,000 LISTs and 0.0004 per 1,000 GETs.
	recallEvery = 5 * time.Minute
	// recallAgain is how soon after a reading that was interrupted the next one is, and recallTimeout how long one may take.
	recallAgain   = 30 * time.Second
	recallTimeout = 30 * time.Second
	// recallsAtOnce bounds the readings at once in a process: all mappings of a fleet begin together.
	recallsAtOnce = 8
)

// recaller is a Runner that can read its ledger and its history without the lease, so that the metrics show what the last generation says, and
// what became of the last passes is known.
type recaller interface {
	Recall(ctx context.Context)
	// Holds reports whether the lease is held, without asking: then the runner knows all there is to know.
	Holds() bool
}

// recall reads what the ledger and the history say when the process begins to keep the mapping, whatever it waits for then, and from then
// on while the lease is not held here: passes may run elsewhere, or the mapping may have been mended by a command. Each mapping has its
// place in the interval, so that they do not come together. The caller calls stop before it closes the runner.
func (k *keeper) recall(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	places := NewSpread(k.m.Name, recallEvery, "")
	go func() {
		defer close(done)
		for wait := time.Duration(0); deadline.Sleep(ctx, wait) == nil && ctx.Err() == nil; {
			now := k.d.o.Now()
			if wait = recallAgain; k.mayRecall() && (k.knowsAll() || k.recallNow(ctx)) {
				wait = places.Next(now).Sub(now)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// mayRecall reports whether no pass runs, and the mapping could be opened when that was tried.
func (k *keeper) mayRecall() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !k.isPassing && (!k.asked || k.runner != nil)
}

// knowsAll reports whether the lease is held here.
func (k *keeper) knowsAll() bool {
	r, ok := k.opened().(recaller)
	return ok && r.Holds()
}

// reading is one of a ledger in progress.
type reading struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
}

// withoutRecall has no ledger read until the returned func is called: what a pass shows is newer than what a reading has found that began
// before. One in progress is ended.
func (k *keeper) withoutRecall() (allow func()) {
	k.mu.Lock()
	k.isPassing = true
	r := k.reading
	k.mu.Unlock()
	if r != nil {
		r.cancel()
		<-r.done
	}
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.isPassing = false
	}
}

// recallNow reads the ledger, and reports whether it had its turn and was not interrupted.
func (k *keeper) recallNow(ctx context.Context) (hasRead bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	k.mu.Lock()
	if k.isPassing {
		k.mu.Unlock()
		return false
	}
	r := &reading{cancel, make(chan struct{})}
	k.reading = r
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		k.reading = nil
		k.mu.Unlock()
		close(r.done)
	}()
	select {
	case k.d.recalls <- struct{}{}:
		defer func() { <-k.d.recalls }()
	case <-ctx.Done():
		return false
	}
	return k.readLedger(ctx)
}

// readLedger reports whether it was not interrupted.
func (k *keeper) readLedger(ctx context.Context) (hasRead bool) {
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
	if last.Result == checkpoint.ResultDenied {
		failure = &syncer.RefusedError{Since: since, Err: failure}
	}
	k.fail(&Failure{
		Class: last.Class, Text: k.d.redact.text(last.Error), Hint: k.d.redact.text(k.d.o.Hint(failure)),
		At: last.EndedAt.UTC(), Since: since.UTC(), Passes: int(times),
	})
	k.isRecalled = true
}
