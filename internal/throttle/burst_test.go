package throttle_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// bursts returns a function that simulates a service. In each interval of length every, the
// function refuses all requests during the last part, whose length is lasts.
func bursts(every, lasts time.Duration) func() error {
	start := time.Now()
	return func() error {
		if time.Since(start)%every >= every-lasts {
			return refusal(slowDown)
		}
		return nil
	}
}

// TestBursts checks that the cuts made for a burst of refusals, which does not depend on the rate,
// are undone when the burst is over.
func TestBursts(t *testing.T) {
	if testing.Short() {
		t.Skip("too slow under the race detector; make test runs it")
	}
	for i, tt := range []struct {
		every, lasts     time.Duration
		mappings, atOnce int
		least            float64
	}{
		{10 * time.Second, 300 * time.Millisecond, 1, crowd, 0.95},
		{5 * time.Second, 50 * time.Millisecond, 1, crowd, 0.95},
		{2 * time.Second, 100 * time.Millisecond, 1, crowd, 0.85},
		{time.Second, 50 * time.Millisecond, 1, crowd, 0.7},
		{5 * time.Second, 300 * time.Millisecond, 1, crowd / 10, 0.8},
		{5 * time.Second, 100 * time.Millisecond, 10, crowd / 10, 0.6}, // the mappings meet the burst one after another
	} {
		t.Run(fmt.Sprintf("%v in %v, %d by %d", tt.lasts, tt.every, tt.mappings, tt.atOnce), func(t *testing.T) {
			if !isPlayed(i) {
				t.Skip("make stress runs it")
			}
			synctest.Test(t, func(t *testing.T) {
				s := newService(nearby, newQuota(0, 0), newQuota(0, 0))
				s.fail = bursts(tt.every, tt.lasts)
				load, q := newLoad(), newQuotas()
				for range tt.mappings {
					q.mapping(t, load, s, tt.atOnce)
				}
				time.Sleep(settled)
				possible := float64(tt.mappings*tt.atOnce) / nearby.Seconds() * (1 - tt.lasts.Seconds()/tt.every.Seconds())
				got := measure(s, "CopyObject", 2*simulated, possible)
				t.Logf("got %.1f %% of what is possible", 100*got.served)
				if got.served < tt.least {
					t.Errorf("got %.1f %% of the possible requests, want at least %.0f %%", 100*got.served, 100*tt.least)
				}
				load.stop()
			})
		})
	}
}

// TestQuotaIsNoBurst checks that the cuts made for a quota that was lowered to a half or a tenth
// are not undone.
func TestQuotaIsNoBurst(t *testing.T) {
	if testing.Short() {
		t.Skip("too slow under the race detector; make test runs it")
	}
	synctest.Test(t, func(t *testing.T) {
		s := newService(nearby, newQuota(2000, 200), newQuota(0, 0))
		load := newLoad()
		newQuotas().mapping(t, load, s, crowd)
		time.Sleep(settled)
		for _, quota := range []float64{1000, 100} {
			s.set(func() { s.s3 = newQuota(quota, quota/10) })
			time.Sleep(5 * time.Second)
			if got := measure(s, "CopyObject", 2*simulated, quota); got.served < 0.9 || got.refused > 0.03 {
				t.Errorf("%.0f/s: got %.1f %% served, %.2f %% refused, want 90 %% and 3 %%", quota, 100*got.served, 100*got.refused)
			}
		}
		load.stop()
	})
}
