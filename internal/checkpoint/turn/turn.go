// Package turn provides a lock whose callers stop waiting when their context ends. Use it to guard
// work that sends requests, and sync.Mutex for everything else.
//
// Only one caller at a time holds the lock. Callers that take several locks must take them in the
// same order.
package turn

import "context"

// Lock is a lock whose callers stop waiting when their context ends.
type Lock chan struct{}

// New returns an unlocked Lock.
func New() Lock { return make(Lock, 1) }

// Take acquires the lock. If ctx ends first, it returns ctx.Err() without the lock.
func (t Lock) Take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TryTake acquires the lock if it is free, and reports whether it did.
func (t Lock) TryTake() bool {
	select {
	case t <- struct{}{}:
		return true
	default:
		return false
	}
}

// MustTake acquires the lock and waits for it without a limit.
func (t Lock) MustTake() { t <- struct{}{} }

// Give releases the lock.
func (t Lock) Give() { <-t }
