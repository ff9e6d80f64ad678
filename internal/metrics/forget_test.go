package metrics_test

import (
	"reflect"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/figure"
	"syncd/internal/metrics"
)

// TestForgetLeavesNothing checks that Forget deletes every series of a mapping. It uses every
// metric for two mappings, and fails if Forget misses a metric.
func TestForgetLeavesNothing(t *testing.T) {
	registry, board := prometheus.NewRegistry(), figure.NewBoard()
	m := metrics.New(registry, board)
	for _, mapping := range []string{"kept", "removed"} {
		touch(m, mapping)
		know(board.Of(mapping))
	}
	former := board.Of("removed")
	before := seriesOf(t, registry)
	if before["removed"] == 0 || before["removed"] != before["kept"] {
		t.Fatalf("got series %v, want as many of both mappings", before)
	}
	m.Forget("removed")
	board.Forget("removed")
	know(former) // code that still uses a removed mapping must not recreate its series
	after := seriesOf(t, registry)
	if after["removed"] != 0 || after["kept"] != before["kept"] {
		t.Errorf("got series %v after the removal, want none of the removed and %d of the kept", after, before["kept"])
	}
}

// touch creates a series of every metric, with mapping as the value of every label.
func touch(m *metrics.Metrics, mapping string) {
	for _, field := range reflect.ValueOf(m).Elem().Fields() {
		switch f := field.Interface().(type) {
		case *prometheus.CounterVec:
			f.WithLabelValues(labels(f, mapping)...).Inc()
		case *prometheus.GaugeVec:
			f.WithLabelValues(labels(f, mapping)...).Set(1)
		case *prometheus.HistogramVec:
			f.WithLabelValues(labels(f, mapping)...).Observe(1)
		}
	}
}

// labels returns mapping as many times as the metric has labels.
func labels(c prometheus.Collector, mapping string) []string {
	described := make(chan *prometheus.Desc, 1)
	c.Describe(described)
	variable := reflect.ValueOf(<-described).Elem().FieldByName("variableLabels").Elem().FieldByName("names").Len()
	values := make([]string, variable)
	for i := range values {
		values[i] = mapping
	}
	return values
}

// seriesOf returns the number of series for each value of the label mapping.
func seriesOf(t *testing.T, registry *prometheus.Registry) map[string]int {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if label.GetName() == "mapping" {
					counts[label.GetValue()]++
				}
			}
		}
	}
	return counts
}
