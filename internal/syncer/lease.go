package syncer

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
	"syncd/internal/figure"
	"syncd/internal/syncer/provenance"
)

// lease manages the mapping's lease and the mapping's ledger. The lease is the right to write the
// ledger, and the ledger is open while the lease is held. Its methods, except isHeld, must not be
// called concurrently.
type lease struct {
	mapping provenance.Mapping
	options checkpoint.Options
	log     *slog.Logger
	figure  *figure.Mapping
	last    *lastGeneration

	ledger *checkpoint.Ledger // nil while the lease is not held
	held   atomic.Bool
}

// open takes the lease and opens the ledger, or returns the ledger that is already open.
func (l *lease) open(ctx context.Context) (*checkpoint.Ledger, error) {
	if l.ledger != nil {
		return l.ledger, nil
	}
	ledger, err := checkpoint.Open(ctx, l.mapping.Store, l.options)
	if errors.Is(err, record.ErrNothingWhole) {
		l.log.Warn("no complete generation of the ledger found, starting over from the destination's objects", "err", err)
		fresh := l.options
		fresh.StartOver = true
		ledger, err = checkpoint.Open(ctx, l.mapping.Store, fresh)
	}
	l.show(err)
	if err != nil {
		return nil, err
	}
	l.ledger = ledger
	l.held.Store(true)
	l.last.opened(ctx, ledger.Manifest())
	if ledger.Generation() == 0 {
		return ledger, l.mapping.Offer(ctx, l.log)
	}
	return ledger, nil
}

// show sets in the figure whether this process holds the lease. If another process holds the lease,
// show also sets the end of that lease.
func (l *lease) show(err error) {
	l.figure.SetLeaseHeld(err == nil)
	if held, ok := errors.AsType[*store.LeaseHeldError](err); ok && !held.Until.IsZero() {
		l.figure.SetLeaseExpiry(held.Until)
	}
}

// close releases the lease if it is held.
func (l *lease) close() error {
	if l.ledger == nil {
		return nil
	}
	ledger := l.ledger
	l.ledger = nil
	l.held.Store(false)
	l.figure.SetLeaseHeld(false)
	return ledger.Close()
}

// isHeld reports whether this process holds the lease, as far as it knows without sending a
// request.
func (l *lease) isHeld() bool { return l.held.Load() }
