package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Lease is the right to write under a name of a Store.
type Lease interface {
	// Held returns nil while the lease is held, and otherwise an error that satisfies
	// errors.Is(err, ErrLeaseLost). The ledger calls it before each write.
	Held(ctx context.Context) error
	// Bound returns a context that ends when ctx ends or when this process considers the lease
	// lost. It sends no request to the store. If the lease is lost, the cause of the context
	// satisfies errors.Is(err, ErrLeaseLost). Use the context for work with effects outside the
	// ledger. The function release frees its resources.
	Bound(ctx context.Context) (bound context.Context, release context.CancelFunc)
	// Confirm returns nil if the lease is held. It sends a request to the store if another holder
	// could have taken the lease unnoticed.
	Confirm(ctx context.Context) error
	// Number returns a number that increases with every holder of the lease. The number makes it
	// possible to reject a holder that unknowingly lost the lease, once a later holder has written.
	// The number is 0 if the lease cannot be lost to another holder.
	Number() int64
	// TakenOver reports whether the previous holder did not release the lease and Fenced has not
	// been called since. The previous holder may be alive and unaware that it lost the lease.
	TakenOver() bool
	// Fenced records that the previous holder can no longer commit. If a lease that was taken over
	// is released without Fenced, the next holder's TakenOver is true as well.
	Fenced()
	// Release releases the lease. It is idempotent.
	Release() error
}

// LeaseInfo describes who holds a lease.
type LeaseInfo struct {
	Holder string    // as passed to Acquire, empty if unknown
	Since  time.Time // when it was taken, zero if unknown
	Until  time.Time // when it expires unless renewed; zero if it is held until released
}

// LeaseHeldError reports that another holder has the right to write.
type LeaseHeldError struct {
	Name   string    // name of the lease: the mapping
	Holder string    // who holds it, empty if unknown
	Since  time.Time // when it was taken, zero if unknown
	Until  time.Time // when it expires unless renewed; zero if it is held until released
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

// IsLeaseHeld reports whether err is, or wraps, a *LeaseHeldError.
func IsLeaseHeld(err error) bool {
	_, ok := errors.AsType[*LeaseHeldError](err)
	return ok
}

// HolderNote is the content of a folder's lock file: who holds the lock. It is only informational;
// the lock itself decides. Every store must recognize a note, because the content of a folder can
// be moved to another store together with the lock file.
type HolderNote struct {
	Holder string    `json:"holder"` // as passed to Acquire
	Since  time.Time `json:"since"`  // when the lock was taken
}

// IsHolderNote reports whether data is the content of a folder's lock file.
func IsHolderNote(data []byte) bool {
	var note HolderNote
	return json.Unmarshal(data, &note) == nil && !note.Since.IsZero()
}

// Tenure is the time for which a lease is held. A tenure that has ended does not begin again.
type Tenure struct {
	ctx context.Context //nolint:containedctx // ends with the tenure, and ends all work under the lease
	// End ends the tenure. Every context bound to the tenure gets the error as its cause.
	End context.CancelCauseFunc
}

// NewTenure returns a tenure that has begun.
func NewTenure() Tenure {
	ctx, end := context.WithCancelCause(context.Background())
	return Tenure{ctx, end}
}

// Bound returns a context that ends when ctx or the tenure does.
func (t Tenure) Bound(ctx context.Context) (bound context.Context, release context.CancelFunc) {
	bound, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(t.ctx, func() { cancel(context.Cause(t.ctx)) })
	return bound, func() {
		stop()
		cancel(context.Canceled)
	}
}
