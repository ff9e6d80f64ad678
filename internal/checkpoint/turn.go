package checkpoint

import "context"

// turn is a lock for work that takes requests: a caller stops waiting for it when its context ends.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

// take waits for the turn. The error is that of the context, and then the turn is not taken.
func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// mustTake waits for the turn however long that takes.
func (t turn) mustTake() { t <- struct{}{} }

func (t turn) give() { <-t }
