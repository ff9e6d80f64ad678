package throttle

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// TestUndoneCut has a rate-independent share of refusals end while it is tested again, at the
// moment at which another mapping starts to be paced alone: what was learned about the share, and
// the rate, are forgotten.
func TestUndoneCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewController(ControllerOptions{})
		send := func(n int, refused float64) {
			for range n {
				time.Sleep(time.Millisecond)
				if _, err := c.wait(t.Context(), 1); err != nil {
					t.Fatal(err)
				}
				cuts := c.sent(1)
				time.Sleep(time.Millisecond)
				isRefused := rand.Float64() < refused
				if !isRefused {
					c.took(1)
				}
				c.answered(cuts, isRefused)
			}
		}
		send(20000, 0.05)
		for c.stray <= maxStray || c.experiment == nil {
			send(1, 0.05)
		}
		c.forget()
		start := time.Now()
		send(3000, 0)
		if took := time.Since(start); took > 20*time.Second || c.stray > maxStray {
			t.Errorf("got 3000 good answers in %v, with a share of %.3f tolerated, want them in seconds, and none", took, c.stray)
		}
	})
}
