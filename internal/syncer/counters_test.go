package syncer_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"syncd/internal/listing"
	"syncd/internal/syncer"
)

// TestSeriesCountFromZero: a series that appears with its first event hides that event from increase().
func TestSeriesCountFromZero(t *testing.T) {
	w := newWorld(t)
	w.options.Source = listing.Live{}
	syncer.New(w.options)
	want := `# HELP syncd_passes_total Ended passes by result: complete, quarantined, drained or failed.
# TYPE syncd_passes_total counter
syncd_passes_total{mapping="m",result="complete"} 0
syncd_passes_total{mapping="m",result="drained"} 0
syncd_passes_total{mapping="m",result="failed"} 0
syncd_passes_total{mapping="m",result="quarantined"} 0
`
	if err := testutil.GatherAndCompare(w.registry, strings.NewReader(want), "syncd_passes_total"); err != nil {
		t.Error(err)
	}
}

// TestAReleasedLeaseHasNoEnd: an expiry that stays in the future would look like another process's lease.
func TestAReleasedLeaseHasNoEnd(t *testing.T) {
	emptyPools()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(1)
		s := w.open(t)
		mustRun(t, s)
		w.options.Metrics.LeaseExpiry.WithLabelValues("m").Set(1e12) // as the store does that renews it
		w.options.Metrics.LeaseExpiry.WithLabelValues("other").Set(1e12)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got := testutil.CollectAndCount(w.options.Metrics.LeaseExpiry); got != 1 {
			t.Errorf("got %d mappings with an expiry, want the other one's only", got)
		}
	})
}
