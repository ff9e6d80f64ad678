package assembly

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"syncd/config"
	"syncd/internal/figure"
	"syncd/internal/metrics"
	"syncd/internal/plan"
	"syncd/internal/throttle"
)

// TestARequestIsASignOfLife checks that the requests of a mapping count as activity of that mapping
// only.
func TestARequestIsASignOfLife(t *testing.T) {
	board := figure.NewBoard()
	shared := &Shared{Metrics: metrics.New(prometheus.NewRegistry(), board), Board: board}
	observe := builder{Shared: shared, mapping: config.Mapping{Name: "m"}}.observe(plan.NewQuoter(plan.Terms{}))
	builder{Shared: shared, mapping: config.Mapping{Name: "n"}}.observe(plan.NewQuoter(plan.Terms{}))
	for range 3 {
		observe(throttle.Attempt{Operation: "GetObject"})
	}
	if m, n := board.Of("m").Beats(), board.Of("n").Beats(); m != 3 || n != 0 {
		t.Errorf("got %d signs of activity of the mapping and %d of another, want 3 and 0", m, n)
	}
	if got := testutil.ToFloat64(shared.Metrics.Requests.WithLabelValues("m", "GetObject", "")); got != 3 {
		t.Errorf("got %v requests in the metrics, want 3", got)
	}
}
