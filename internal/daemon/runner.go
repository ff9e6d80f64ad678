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

// Runner runs the passes of a mapping. *syncer.Syncer implements it.
type Runner interface {
	// Ready prepares for a pass, for example by getting credentials. It is called before each Run,
	// while the mapping does not occupy a place in line, so it is allowed to take long. A
	// *store.LeaseHeldError means that another process holds the lease, so Run must not be called
	// yet.
	Ready(ctx context.Context) error
	// Run runs a pass. When ctx ends, the pass drains.
	Run(ctx context.Context) (syncer.Summary, error)
	// Progress returns the progress of the current pass.
	Progress() (progress syncer.Progress, ok bool)
	// Close releases the lease. A Run after Close reads the ledger again.
	Close() error
}

// Worker is a Runner that carries out requests. Requests for a mapping with another kind of Runner
// are refused.
type Worker interface {
	Runner
	// Hold takes the lease. A *store.LeaseHeldError means that another process holds it.
	Hold(ctx context.Context) error
	// Holds reports whether this process holds the lease, as far as it knows. It sends no request.
	Holds() bool
	// Do runs the pass described by order. See Run.
	Do(ctx context.Context, order syncer.Order) (syncer.Summary, error)
	// EnterFailure records in the history that a pass failed before it began. It takes the lease if
	// this process does not hold it.
	EnterFailure(ctx context.Context, order syncer.Order, began, ended time.Time, failure error) error
	// VerifyScheduled compares the destination with the ledger and the source, and reports the result in
	// the log and the metrics.
	VerifyScheduled(ctx context.Context) error
	// History returns the most recent passes, oldest first, as far as they are known.
	History() []history.Pass
}

// recaller is a Runner that can read its ledger and its history without the lease. The metrics then
// show the last generation and the results of the last passes.
type recaller interface {
	Recall(ctx context.Context)
	// Holds reports whether this process holds the lease. If it does, Recall is not needed.
	Holds() bool
}

// opened contains the Runner of a mapping, once the mapping is opened.
type opened struct {
	open func(ctx context.Context) (Runner, error)
	log  *slog.Logger
	// opening is held while the mapping is opened.
	opening sync.Mutex

	mu     sync.Mutex
	runner Runner // nil until the mapping is opened
}

// get returns the Runner. It opens the mapping if necessary.
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

// known returns the Runner, or nil if the mapping was not opened.
func (o *opened) known() Runner {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.runner
}

// worker returns the Runner as a Worker, or nil if it is not one.
func (o *opened) worker() Worker {
	w, _ := o.known().(Worker)
	return w
}

func (o *opened) holds() bool {
	w := o.worker()
	return w != nil && w.Holds()
}

// Progress returns the progress of the current pass.
func (o *opened) Progress() (progress syncer.Progress, ok bool) {
	if runner := o.known(); runner != nil {
		return runner.Progress()
	}
	return syncer.Progress{}, false
}

// History returns the most recent passes, or nil if they are unknown.
func (o *opened) History() []history.Pass {
	if w := o.worker(); w != nil {
		return w.History()
	}
	return nil
}

// close releases the lease.
func (o *opened) close() error {
	runner := o.known()
	if runner == nil {
		return nil
	}
	return runner.Close()
}

// release releases the lease while it is not needed, so that another process can run a pass of a
// mapping that is paused or has no schedule.
func (o *opened) release() {
	if !o.holds() {
		return
	}
	if err := o.close(); err != nil {
		o.log.Warn("lease could not be released", "err", err)
	}
}

// guarded calls do and returns a panic in it as an error. A panic only affects this mapping: the
// mapping's data in memory is discarded, and the next pass reads it from the state again.
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
