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
	"syncd/internal/syncer/recall"
)

// lease manages the mapping's lease and the mapping's ledger. The lease is the right to write the
// ledger, and the ledger is open while the lease is held. Its methods, except isHeld, must not be
// called concurrently.
type lease struct {
	mapping provenance.Mapping
	options checkpoint.Options
	log     *slog.Logger
	figure  *figure.Mapping
	last    *recall.Last

	ledger   *checkpoint.Ledger // nil while the lease is not held
	held     atomic.Bool
	distrust bool // a record of the ledger turned out to be damaged, so the next open reads every chunk
}

// open takes the lease and opens the ledger, or returns the ledger that is already open.
func (l *lease) open(ctx context.Context) (*checkpoint.Ledger, error) {
	if l.ledger != nil {
		return l.ledger, nil
	}
	options := l.options
	options.Full = l.distrust
	ledger, err := checkpoint.Open(ctx, l.mapping.Store, options)
	if errors.Is(err, record.ErrNothingWhole) {
		l.log.Warn("no complete generation of the ledger found, starting over from the destination's objects", "err", err)
		options.StartOver = true
		ledger, err = checkpoint.Open(ctx, l.mapping.Store, options)
	}
	l.show(err)
	if err != nil {
		return nil, err
	}
	l.ledger, l.distrust = ledger, false
	l.held.Store(true)
	l.last.Opened(ctx, ledger.Manifest())
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

// damaged makes the next open read every chunk of the ledger.
func (l *lease) damaged() {
	l.distrust = true
	l.options.Verified.Forget()
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
