package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"syncd/internal/checkpoint/history"
	"syncd/internal/syncer"
)

// Runner runs the passes of a mapping, as a *syncer.Syncer does.
type Runner interface {
	// Ready gets what a pass needs and takes no work to get, such as credentials. It is called
	// before each Run, when the mapping has no place among the passes that run: it may take long. A
	// *store.LeaseHeldError says that it is not worth a Run yet.
	Ready(ctx context.Context) error
	// Run runs a pass. When ctx ends it drains.
	Run(ctx context.Context) (syncer.Summary, error)
	// Progress tells where the pass in progress stands.
	Progress() (progress syncer.Progress, ok bool)
	// Close gives the lease back. A Run after it begins from scratch.
	Close() error
}

// Worker is a Runner that carries out requests. Requests for the passes of another Runner are
// refused.
type Worker interface {
	Runner
	// Hold takes the lease. A *store.LeaseHeldError says that another process has it.
	Hold(ctx context.Context) error
	// Holds reports whether the lease is held, without asking.
	Holds() bool
	// Do runs a pass as it is ordered, as Run does.
	Do(ctx context.Context, order syncer.Order) (syncer.Summary, error)
	// EnterFailure adds a pass to the history that failed before it was begun, under the lease.
	EnterFailure(ctx context.Context, order syncer.Order, began, ended time.Time, failure error) error
	// History returns the passes that ended last, oldest first, as far as they are known.
	History() []history.Pass
}

// recaller is a Runner that can read its ledger and its history without the lease, so that the
// metrics show what the last generation says, and what became of the last passes is known.
type recaller interface {
	Recall(ctx context.Context)
	// Holds reports whether the lease is held, without asking: then the runner knows all there is
	// to know.
	Holds() bool
}

// opened is what runs the passes of a mapping, once it is opened.
type opened struct {
	open func(ctx context.Context) (Runner, error)
	log  *slog.Logger
	// opening is held while the mapping is opened.
	opening sync.Mutex

	mu     sync.Mutex
	runner Runner // nil until it is opened
}

// get opens the mapping unless it is.
func (o *opened) get(ctx context.Context) (Runner, error) {
	o.opening.Lock()
	defer o.opening.Unlock()
	if runner := o.known(); runner != nil {
		return runner, nil
	}
	runner, err := o.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("open mapping: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.runner = runner
	return runner, nil
}

// known returns what runs the passes, nil while the mapping was not opened.
func (o *opened) known() Runner {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.runner
}

// worker returns what carries requests out, nil for nothing.
func (o *opened) worker() Worker {
	w, _ := o.known().(Worker)
	return w
}

func (o *opened) holds() bool {
	w := o.worker()
	return w != nil && w.Holds()
}

// Progress tells where the pass in progress stands.
func (o *opened) Progress() (progress syncer.Progress, ok bool) {
	if runner := o.known(); runner != nil {
		return runner.Progress()
	}
	return syncer.Progress{}, false
}

// History returns the passes that ended last, nil where they are not known.
func (o *opened) History() []history.Pass {
	if w := o.worker(); w != nil {
		return w.History()
	}
	return nil
}

// close gives the lease back.
func (o *opened) close() error {
	runner := o.known()
	if runner == nil {
		return nil
	}
	return runner.Close()
}

// release gives the lease up while it is not needed: one who runs a pass of a paused mapping, or of
// one without a schedule, gets it.
func (o *opened) release() {
	if !o.holds() {
		return
	}
	if err := o.close(); err != nil {
		o.log.Warn("lease was not given back", "err", err)
	}
}

// guarded calls do. A panic in it is a failure of this mapping alone: what it held in memory is
// given up, so that the next pass reads it from scratch.
func (o *opened) guarded(do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			panicked := &syncer.PanicError{Value: value, Stack: debug.Stack()}
			o.log.Error("pass panicked", "err", panicked, "stack", string(panicked.Stack))
			err = errors.Join(panicked, o.close())
		}
	}()
	return do()
}
