package throttle

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// TestUndoneCut simulates a service that refuses a share of requests at any rate. While the
// controller tests the tolerated share again with a cut, another mapping starts to be paced alone,
// and the refusals end. The test checks that the controller forgets the tolerated share and the
// lowered rate.
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
			t.Errorf("got 3000 accepted requests in %v with a tolerated share of %.3f, want a few seconds and no tolerated share", took, c.stray)
		}
	})
}
