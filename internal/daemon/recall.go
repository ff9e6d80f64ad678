package daemon

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"syncd/internal/daemon/appointment"
	"syncd/internal/daemon/condition"
	"syncd/internal/deadline"
)

const (
	// recallEvery is how often the ledger and the history of a mapping are read while this process
	// does not hold the mapping's lease. Each reading sends two LISTs and two GETs, and more only
	// while objects are in quarantine. These are 1,152 requests a day for each mapping, which cost
	// 0.31 cents, or 0.09 dollars in 30 days, at 0.005 dollars per 1,000 LISTs and 0.0004 per 1,000
	// GETs.
	recallEvery = 5 * time.Minute
	// recallAgain is how long to wait before retrying a reading that was interrupted. recallTimeout
	// limits how long a reading takes.
	recallAgain   = 30 * time.Second
	recallTimeout = 30 * time.Second
	// recallsAtOnce limits the concurrent readings of a process, because all its mappings start
	// together.
	recallsAtOnce = 8
)

// recall reads the ledger and the history of a mapping while this process does not hold its lease.
type recall struct {
	mapping   string
	runner    *opened
	condition *condition.Condition
	// readings has an element for each reading in progress in this process.
	readings chan struct{}
	log      *slog.Logger
	now      func() time.Time

	mu sync.Mutex
	// reading is the reading in progress, or nil. isPassing means that a pass is running, so no
	// reading starts.
	reading   *reading
	isPassing bool
}

// reading is one reading of a ledger.
type reading struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when the reading has ended
}

// work reads the ledger and the history when the mapping starts, even if its pass has to wait.
// After that it reads them regularly while this process does not hold the lease: another process
// may run passes, or a command may have changed the mapping. Each mapping reads at its own time
// within the interval, so that the readings are spread. work ends before the runner is closed.
func (r *recall) work(ctx context.Context) error {
	places := appointment.NewSpread(r.mapping, recallEvery, "")
	for wait := time.Duration(0); deadline.Sleep(ctx, wait) == nil && ctx.Err() == nil; {
		now := r.now()
		if wait = recallAgain; r.mayRecall() && (r.knowsAll() || r.recallNow(ctx)) {
			wait = places.Next(now).Sub(now)
		}
	}
	return nil
}

// mayRecall reports whether a reading may start: no pass is running, and the mapping is open or no
// pass was tried yet.
func (r *recall) mayRecall() bool {
	r.mu.Lock()
	isPassing := r.isPassing
	r.mu.Unlock()
	return !isPassing && (!r.condition.HasAsked() || r.runner.known() != nil)
}

// knowsAll reports whether this process holds the lease.
func (r *recall) knowsAll() bool {
	of, ok := r.runner.known().(recaller)
	return ok && of.Holds()
}

// suspend prevents readings until allow is called. It cancels a reading in progress and waits for
// its end, because the results of a pass are newer than the results of a reading that started
// before the pass.
func (r *recall) suspend() (allow func()) {
	r.mu.Lock()
	r.isPassing = true
	former := r.reading
	r.mu.Unlock()
	if former != nil {
		former.cancel()
		<-former.done
	}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.isPassing = false
	}
}

// recallNow reads the ledger. It returns false if the reading was interrupted or could not start.
func (r *recall) recallNow(ctx context.Context) (hasRead bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r.mu.Lock()
	if r.isPassing {
		r.mu.Unlock()
		return false
	}
	own := &reading{cancel, make(chan struct{})}
	r.reading = own
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.reading = nil
		r.mu.Unlock()
		close(own.done)
	}()
	select {
	case r.readings <- struct{}{}:
		defer func() { <-r.readings }()
	case <-ctx.Done():
		return false
	}
	return r.readLedger(ctx)
}

// readLedger reads the ledger. It returns false if the reading was interrupted.
func (r *recall) readLedger(ctx context.Context) (hasRead bool) {
	ctx, cancel := context.WithTimeout(ctx, recallTimeout)
	defer cancel()
	err := r.runner.guarded(func() error {
		runner, err := r.runner.get(ctx)
		if err != nil {
			return err
		}
		if of, ok := runner.(recaller); ok {
			of.Recall(ctx)
			r.adopt()
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		r.log.Warn("ledger could not be read", "err", err)
	}
	return ctx.Err() == nil
}

// adopt updates the condition from the history. If another process holds the lease, adopt takes
// over no failures, because that process reports them.
func (r *recall) adopt() {
	if w := r.runner.worker(); w != nil && !r.condition.StandsBy() {
		r.condition.Adopt(w.History())
	}
}
