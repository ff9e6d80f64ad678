package syncer_test

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"syncd/internal/listing"
	"syncd/internal/syncer"
)

// TestSeriesCountFromZero checks that the series exist before the first event: otherwise increase()
// would miss that event.
func TestSeriesCountFromZero(t *testing.T) {
	w := newWorld(t)
	w.options.Source = listing.Live{}
	syncer.New(w.options)
	want := `# HELP syncd_passes_total Ended passes by result: complete, quarantined, undeleted, drained, denied or failed.
# TYPE syncd_passes_total counter
syncd_passes_total{mapping="m",result="complete"} 0
syncd_passes_total{mapping="m",result="denied"} 0
syncd_passes_total{mapping="m",result="drained"} 0
syncd_passes_total{mapping="m",result="failed"} 0
syncd_passes_total{mapping="m",result="quarantined"} 0
syncd_passes_total{mapping="m",result="undeleted"} 0
`
	if err := testutil.GatherAndCompare(w.registry, strings.NewReader(want), "syncd_passes_total"); err != nil {
		t.Error(err)
	}
}
