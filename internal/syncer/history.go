package syncer

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

// historyTime bounds how long a pass may take to be entered in the history. It comes on top of the
// time of a drain.
const historyTime = 2 * time.Second

// pastPasses are the passes of the mapping that ended last, by whatever process, as far as they
// were read.
type pastPasses struct {
	store   store.Store
	mapping string
	log     *slog.Logger

	mu     sync.Mutex
	passes []history.Pass
}

// all returns the passes, oldest first.
func (h *pastPasses) all() []history.Pass {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.passes)
}

func (h *pastPasses) set(passes []history.Pass) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.passes = passes
}

// read reads which passes ended before. A history that cannot be read is no reason for a pass not
// to begin.
func (h *pastPasses) read(ctx context.Context, ledger *checkpoint.Ledger) {
	ctx, cancel := context.WithTimeout(ctx, historyTime)
	defer cancel()
	passes, err := ledger.Past(ctx)
	if err != nil {
		h.log.Warn("history was not read", "err", err)
		return
	}
	h.set(passes)
}

// recall reads which passes ended before, without the lease.
func (h *pastPasses) recall(ctx context.Context) {
	passes, err := history.Read(ctx, h.store, h.mapping)
	if err != nil {
		if ctx.Err() == nil {
			h.log.Warn("history was not read", "err", err)
		}
		return
	}
	h.set(passes)
}

// enterAlone adds a pass that was not begun, by the ledger or, where that is nil, under the lease
// for a moment.
func (h *pastPasses) enterAlone(ctx context.Context, ledger *checkpoint.Ledger, o checkpoint.Options, r history.Pass) (err error) {
	var passes []history.Pass
	if ledger != nil {
		passes, err = ledger.Enter(ctx, r)
	} else {
		passes, err = checkpoint.EnterAlone(ctx, h.store, o, r)
	}
	if passes != nil {
		h.set(passes)
	}
	return err
}

// enter adds a pass within a bounded time, also after ctx has ended. A history that lacks a line is
// no reason for a pass to fail.
func (h *pastPasses) enter(ctx context.Context, ledger *checkpoint.Ledger, r history.Pass, within time.Duration, log *slog.Logger) {
	var passes []history.Pass
	err := deadline.Do(context.WithoutCancel(ctx), min(historyTime, within), func(ctx context.Context) (err error) {
		return guarded(func() (err error) {
			passes, err = ledger.Enter(ctx, r)
			return err
		})
	})
	switch {
	case errors.Is(err, store.ErrLeaseLost), errors.Is(err, store.ErrSuperseded):
		return // the next holder's passes are in it
	case err != nil:
		log.Warn("pass was not entered in the history", "err", err)
		return
	}
	h.set(passes)
}
