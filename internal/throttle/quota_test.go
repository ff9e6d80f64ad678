package throttle_test

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/throttle"
)

// TestDrawPacedAlone checks that if one of three mappings is refused for a while, only that mapping
// is slowed down, and that it rejoins the other mappings afterwards.
func TestDrawPacedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := throttle.NewQuota(throttle.ControllerOptions{})
		well, ill := newService(nearby, quota{}, quota{}), newService(nearby, quota{}, quota{})
		ill.outage = true
		load, draws := newLoad(), []*throttle.Draw{q.Draw(), q.Draw(), q.Draw()}
		for i, draw := range draws {
			s := well
			if i == 0 {
				s = ill
			}
			load.add(t, 20, newClient(t, s, &throttle.Guard{Service: draw}), "CopyObject", nil)
		}
		time.Sleep(20 * time.Second)
		if rate, limited := draws[0].Rate(); !limited || rate > 5 {
			t.Errorf("got the refused mapping at %.0f a second (limited: %v), want almost 0", rate, limited)
		}
		for _, draw := range draws[1:] {
			if rate, limited := draw.Rate(); limited || draw.Throttles() != 0 {
				t.Errorf("got another mapping limited to %.0f a second with %d refusals, want neither", rate, draw.Throttles())
			}
		}
		ill.set(func() { ill.outage = false })
		time.Sleep(2 * time.Minute)
		for i, draw := range draws {
			if rate, limited := draw.Rate(); limited {
				t.Errorf("got mapping %d limited to %.0f a second two minutes later, want no limit", i, rate)
			}
		}
		load.stop()
		// All answers of the service have arrived now.
		if _, refused := ill.counts("CopyObject"); draws[0].Throttles() != int64(refused) {
			t.Errorf("got %d refusals counted, want %d", draws[0].Throttles(), refused)
		}
	})
}

// TestRateAfterIdleTime refuses a share of requests at any rate. After that nothing is sent for a
// while, then only slow requests, and then a full load. The test checks that the full load reaches
// most of the undisturbed rate.
func TestRateAfterIdleTime(t *testing.T) {
	if testing.Short() {
		t.Skip("too slow under the race detector; make test runs it")
	}
	for name, isOver := range map[string]bool{"refusals go on": false, "refusals are over": true} {
		for atOnce, slow := range map[int]time.Duration{1: 2 * time.Second, 64: 2 * time.Second} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newService(nearby, quota{}, quota{})
					s.fail = refusing(0.05, slowDown)
					client := newClient(t, s, &throttle.Guard{Service: unlimited()})
					send := func(n int, latency, d time.Duration) shares {
						// Answers arrive at different times, so that the requests after them do too.
						s.set(func() {
							s.latency = func(string, int) time.Duration { return latency/2 + rand.N(latency) }
						})
						load := newLoad()
						load.add(t, n, client, "CopyObject", nil)
						defer load.stop()
						time.Sleep(d / 2)
						return measure(s, "CopyObject", d/2, undisturbed)
					}
					send(crowd, nearby, 20*time.Second)
					time.Sleep(2 * time.Minute)
					if isOver {
						s.set(func() { s.fail = nil })
					}
					send(atOnce, slow, 20*time.Second)
					// No gate limits the senders, so no other senders replace those that wait for a
					// retry.
					if got := send(crowd, nearby, 20*time.Second); got.served < 0.6 {
						t.Errorf("got %.1f %% of the undisturbed rate, want nearly all of it", 100*got.served)
					}
				})
			})
		}
	}
}
