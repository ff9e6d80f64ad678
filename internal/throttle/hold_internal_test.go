package throttle

import (
	"sync"
	"testing"
)

// TestParallelRequestsShareASlot makes the parts of one object fail and be retried at different
// times. It checks that the slot is given up only while no part is being sent, and is taken back
// once.
func TestParallelRequestsShareASlot(t *testing.T) {
	turns := NewLevel(LevelOptions{Min: 1, Max: 1}).Gate()
	if err := turns.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	held, release := turns.Hold(t.Context())
	slots := NewLevel(LevelOptions{Min: 64, Max: 64}).Gate()
	var parts sync.WaitGroup
	for range 64 {
		parts.Go(func() {
			for range 500 {
				ctx, giveBack, err := HoldSlot(held, slots)
				if err != nil {
					t.Error(err)
					return
				}
				for _, isTriedAgain := range []bool{true, true, false} {
					if err := beginAttempt(ctx); err != nil {
						t.Error(err)
					}
					if n := turns.InUse(); n != 1 {
						t.Errorf("got %d slots in use while a part is sent, want 1", n)
					}
					endAttempt(ctx, isTriedAgain)
				}
				giveBack()
			}
		})
	}
	parts.Wait()
	release()
	if n := turns.InUse() + slots.InUse(); n != 0 {
		t.Errorf("got %d slots in use, want none", n)
	}
}
