package assembly

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/fair"
	"syncd/internal/throttle"
)

// TestSlotsGiveBackBoth checks that a request that gives up waiting for a shared slot releases the
// slot of its mapping.
func TestSlotsGiveBackBoth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		share := fair.NewShare(1)
		other := share.Member()
		if err := other.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
		gate := throttle.NewLevel(throttle.LevelOptions{Min: 1, Max: 1}).Gate()
		own := slots{gate, share.Member()}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := own.Acquire(ctx); err == nil || gate.InUse() != 0 {
			t.Errorf("got %v with %d slots of the mapping taken, want an error and none", err, gate.InUse())
		}
		other.Release()
		if err := own.Acquire(t.Context()); err != nil || gate.InUse() != 1 || share.InUse() != 1 {
			t.Errorf("got %v with %d and %d slots taken, want one of each", err, gate.InUse(), share.InUse())
		}
		own.Release()
		if gate.InUse() != 0 || share.InUse() != 0 {
			t.Errorf("got %d and %d slots taken in the end, want none", gate.InUse(), share.InUse())
		}
	})
}
