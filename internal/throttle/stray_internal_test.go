package throttle

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// TestCutThatIsTakenBack has a share of refusals that does not depend on the rate end while it is
// tried again, and another mapping be paced alone then: what was learned of the share is forgotten,
// and the rate with it.
func TestCutThatIsTakenBack(t *testing.T) {
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
			t.Errorf("got 3000 good answers in %v, with a share of %.3f borne, want them in seconds, and none", took, c.stray)
		}
	})
}
