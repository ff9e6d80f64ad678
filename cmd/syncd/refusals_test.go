package main

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"syncd/internal/awsfake"
)

var refusedAtRandom = flag.Int("refusals", 0, "have the program copy so many objects, with and without refusals, and compare the rates; 0: do not")

// TestRefusalsCostLittle checks that the real program copies at least 90 % as fast from a server
// that refuses a share of the requests as from a server that refuses none. Each request takes 20
// ms. Both rates are measured three times.
func TestRefusalsCostLittle(t *testing.T) {
	if *refusedAtRandom == 0 {
		t.Skip("make refusals runs it; the simulation in internal/throttle holds the same without a clock to go by")
	}
	for _, share := range []float64{0.005, 0.0125, 0.05} {
		t.Run(fmt.Sprintf("%.2f %%", 100*share), func(t *testing.T) {
			var undisturbed, refused float64
			for range 3 {
				undisturbed, refused = max(undisturbed, copyRate(t, 0)), max(refused, copyRate(t, share))
			}
			t.Logf("%.0f a second undisturbed, %.0f with refusals: %.2f", undisturbed, refused, refused/undisturbed)
			if refused < 0.9*undisturbed {
				t.Errorf("got %.2f of the undisturbed rate, want at least 0.9", refused/undisturbed)
			}
		})
	}
}

// copyRate returns how many objects per second a backfill copies while a share of its requests is
// refused.
func copyRate(t *testing.T, refused float64) float64 {
	t.Helper()
	s := newSite(t, nil)
	for i := range *refusedAtRandom {
		s.Source.Put(fmt.Sprintf("data/%06d", i), awsfake.SyntheticBody(1<<10, uint64(i)), awsfake.PutOptions{}) //nolint:gosec // not negative
	}
	s.Cloud.SetLatency(20 * time.Millisecond)
	if refused > 0 {
		s.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Probability: refused, Kind: awsfake.Throttle})
	}
	var stdout, stderr lockedBuffer
	cmd := s.start(t, &stdout, &stderr, "backfill", "--json")
	if code := exitStatus(t, cmd); code != 0 {
		t.Fatalf("got exit %d; stderr:\n%s", code, stderr.String())
	}
	got := lastLine(t, stdout.String())
	if got.Copied < int64(*refusedAtRandom) {
		t.Fatalf("got %+v, want all %d copied", got, *refusedAtRandom)
	}
	return float64(got.Copied) / got.Seconds
}
