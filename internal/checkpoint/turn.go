package checkpoint

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// turn is a lock for work that takes requests: who waits for it stops waiting when its context ends.
type turn struct{ one *semaphore.Weighted }

func newTurn() turn { return turn{semaphore.NewWeighted(1)} }

// take waits for the turn. The error is that of the context, and then the turn is not taken.
func (t turn) take(ctx context.Context) error { return t.one.Acquire(ctx, 1) }

// mustTake waits for the turn however long that takes.
func (t turn) mustTake() { _ = t.take(context.Background()) }

func (t turn) give() { t.one.Release(1) }
