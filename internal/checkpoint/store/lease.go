package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Lease is the right to write under one name of a Store.
type Lease interface {
	// Held returns nil while the lease is held, else an error that satisfies errors.Is(err,
	// ErrLeaseLost). The ledger asks before it writes.
	Held(ctx context.Context) error
	// Bound returns a context that ends with ctx, or when the lease does as far as this process
	// knows without asking: then its cause satisfies errors.Is(err, ErrLeaseLost). What has an
	// effect outside the ledger runs under it. Release frees what it holds.
	Bound(ctx context.Context) (bound context.Context, release context.CancelFunc)
	// Confirm returns nil when the lease is held, after asking the store where another holder could
	// have taken it unnoticed.
	Confirm(ctx context.Context) error
	// Number ascends from holder to holder, so that one who lost the lease and does not know it
	// gives way to what a later one has written. It is 0 where a lease cannot be lost to another.
	Number() int64
	// TakenOver reports whether a holder before did not give the lease back, and nobody has called
	// Fenced since. That holder may be alive and unaware.
	TakenOver() bool
	// Fenced says that the holder before can commit nothing any more. A lease that was taken over
	// and is released without Fenced hands TakenOver on.
	Fenced()
	// Release gives the lease back. It is idempotent.
	Release() error
}

// LeaseInfo tells who holds a lease.
type LeaseInfo struct {
	Holder string    // as given to Acquire, empty when unknown
	Since  time.Time // when it was taken, zero when unknown
	Until  time.Time // when it expires unless it is renewed, zero: held until released
}

// LeaseHeldError reports that another holder has the right to write.
type LeaseHeldError struct {
	Name   string    // what the lease is for: the mapping
	Holder string    // who holds it, empty when unknown
	Since  time.Time // when it was taken, zero when unknown
	Until  time.Time // when it expires by itself, zero: held until released
}

// Error names the lease and its holder.
func (e *LeaseHeldError) Error() string {
	text := fmt.Sprintf("lease on %q is held", e.Name)
	if e.Holder != "" {
		text += fmt.Sprintf(" by %q", e.Holder)
	}
	if !e.Since.IsZero() {
		text += " since " + e.Since.UTC().Format(time.RFC3339)
	}
	if !e.Until.IsZero() {
		text += " until " + e.Until.UTC().Format(time.RFC3339)
	}
	return text
}

// IsLeaseHeld reports whether err is that another holder has the right to write.
func IsLeaseHeld(err error) bool {
	_, ok := errors.AsType[*LeaseHeldError](err)
	return ok
}

// HolderNote is what the lock file of a folder says about who holds it. It is for people: the lock
// itself decides. Every store knows it, because a folder may have been moved with its lock file.
type HolderNote struct {
	Holder string    `json:"holder"` // as given to Acquire
	Since  time.Time `json:"since"`  // when the lock was taken
}

// IsHolderNote reports whether data is what a lock file says.
func IsHolderNote(data []byte) bool {
	var note HolderNote
	return json.Unmarshal(data, &note) == nil && !note.Since.IsZero()
}

// Tenure is the time in which a lease is held. It ends once.
type Tenure struct {
	ctx context.Context //nolint:containedctx // it is the tenure: what is done under the lease ends with it
	// End ends the tenure, for a reason that every context bound by it then has as its cause.
	End context.CancelCauseFunc
}

// NewTenure returns a tenure that has begun.
func NewTenure() Tenure {
	ctx, end := context.WithCancelCause(context.Background())
	return Tenure{ctx, end}
}

// Bound returns a context that ends with ctx or with the tenure.
func (t Tenure) Bound(ctx context.Context) (bound context.Context, release context.CancelFunc) {
	bound, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(t.ctx, func() { cancel(context.Cause(t.ctx)) })
	return bound, func() {
		stop()
		cancel(context.Canceled)
	}
}
