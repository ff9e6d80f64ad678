// Package turn is a lock for work that takes requests: a caller stops waiting for it when its
// context ends. A sync.Mutex is for all else.
//
// It promises that one caller at a time has the lock, and leaves to the callers in which order they
// take several.
package turn

import "context"

// Lock is a lock for work that takes requests: a caller stops waiting for it when its context ends.
type Lock chan struct{}

// New returns a lock that nobody has.
func New() Lock { return make(Lock, 1) }

// Take waits for the turn. The error is that of the context, and then the turn is not taken.
func (t Lock) Take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// MustTake waits for the turn however long that takes.
func (t Lock) MustTake() { t <- struct{}{} }

// Give gives the turn back.
func (t Lock) Give() { <-t }
