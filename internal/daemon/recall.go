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
	// recallEvery is how often the ledger and the history are read of a mapping whose lease this
	// process does not hold: two LISTs and two GETs, and more only while objects are in quarantine.
	// In a day these are 1,152 requests for a mapping, which are 0.31 cents, or 0.09 dollars in 30
	// days, at 0.005 dollars per 1,000 LISTs and 0.0004 per 1,000 GETs.
	recallEvery = 5 * time.Minute
	// recallAgain is how soon after a reading that was interrupted the next one is, and
	// recallTimeout how long one may take.
	recallAgain   = 30 * time.Second
	recallTimeout = 30 * time.Second
	// recallsAtOnce bounds the readings at once in a process: all mappings of a fleet begin
	// together.
	recallsAtOnce = 8
)

// recall reads what the ledger and the history of a mapping say while its lease is not held here.
type recall struct {
	mapping   string
	runner    *opened
	condition *condition.Condition
	// readings holds an element for each reading in progress of the process.
	readings chan struct{}
	log      *slog.Logger
	now      func() time.Time

	mu sync.Mutex
	// reading is that of the ledger that is in progress, nil for none; isPassing says that a pass
	// runs, in which there is none.
	reading   *reading
	isPassing bool
}

// reading is one of a ledger that is in progress.
type reading struct {
	cancel context.CancelFunc
	done   chan struct{} // closed when it has ended
}

// work reads what the ledger and the history say when the process begins to keep the mapping,
// whatever it waits for then, and from then on while the lease is not held here: passes may run
// elsewhere, or the mapping may have been mended by a command. Each mapping has its place in the
// interval, so that they do not come together. It ends before the runner is closed.
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

// mayRecall reports whether no pass runs, and the mapping could be opened when that was tried.
func (r *recall) mayRecall() bool {
	r.mu.Lock()
	isPassing := r.isPassing
	r.mu.Unlock()
	return !isPassing && (!r.condition.HasAsked() || r.runner.known() != nil)
}

// knowsAll reports whether the lease is held here.
func (r *recall) knowsAll() bool {
	of, ok := r.runner.known().(recaller)
	return ok && of.Holds()
}

// suspend has no ledger read until the returned func is called: what a pass shows is newer than
// what a reading has found that began before. One in progress gives way.
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

// recallNow reads the ledger, and reports whether it had its turn and was not interrupted.
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

// readLedger reports whether it was not interrupted.
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
		r.log.Warn("ledger was not read", "err", err)
	}
	return ctx.Err() == nil
}

// adopt takes how passes fare from the history. What fails while another process has the lease is
// shown by that one.
func (r *recall) adopt() {
	if w := r.runner.worker(); w != nil && !r.condition.StandsBy() {
		r.condition.Adopt(w.History())
	}
}
