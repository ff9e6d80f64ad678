package recall

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/store"
	"syncd/internal/deadline"
)

// historyTime limits how long it may take to record a pass in the history. It is added to the drain
// time.
const historyTime = 2 * time.Second

// Passes are a mapping's most recent passes, run by any process, as the history contained them when this
// process last read or wrote it. All exported fields are required.
type Passes struct {
	Store   store.Store
	Mapping string
	Log     *slog.Logger
	// Guard calls a func and returns a panic in it as an error.
	Guard func(do func() error) error

	mu     sync.Mutex
	passes []history.Pass
}

// All returns the passes, oldest first.
func (h *Passes) All() []history.Pass {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.passes)
}

func (h *Passes) set(passes []history.Pass) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.passes = passes
}

// Read reads the most recent passes. It only logs errors, so that a pass starts even if the history
// cannot be read.
func (h *Passes) Read(ctx context.Context, ledger *checkpoint.Ledger) {
	ctx, cancel := context.WithTimeout(ctx, historyTime)
	defer cancel()
	passes, err := ledger.Past(ctx)
	if err != nil {
		h.Log.Warn("history could not be read", "err", err)
		return
	}
	h.set(passes)
}

// Recall reads the most recent passes without the lease.
func (h *Passes) Recall(ctx context.Context) {
	passes, err := history.Read(ctx, h.Store, h.Mapping)
	if err != nil {
		if ctx.Err() == nil {
			h.Log.Warn("history could not be read", "err", err)
		}
		return
	}
	h.set(passes)
}

// EnterAlone records a pass that did not start. It uses the given ledger. If the ledger is nil, it
// takes the lease briefly to open one.
func (h *Passes) EnterAlone(ctx context.Context, ledger *checkpoint.Ledger, o checkpoint.Options, r history.Pass) (err error) {
	var passes []history.Pass
	if ledger != nil {
		passes, err = ledger.Enter(ctx, r)
	} else {
		passes, err = checkpoint.EnterAlone(ctx, h.Store, o, r)
	}
	if passes != nil {
		h.set(passes)
	}
	return err
}

// Enter records a pass within a limited time, even if ctx has ended. A pass does not fail because
// it could not be recorded.
func (h *Passes) Enter(ctx context.Context, ledger *checkpoint.Ledger, r history.Pass, within time.Duration, log *slog.Logger) {
	var passes []history.Pass
	err := deadline.Do(context.WithoutCancel(ctx), min(historyTime, within), func(ctx context.Context) (err error) {
		return h.Guard(func() (err error) {
			passes, err = ledger.Enter(ctx, r)
			return err
		})
	})
	switch {
	case errors.Is(err, store.ErrLeaseLost), errors.Is(err, store.ErrSuperseded):
		return // another process has the lease now, so this pass is not recorded
	case err != nil:
		log.Warn("pass could not be recorded in the history", "err", err)
		return
	}
	h.set(passes)
}
