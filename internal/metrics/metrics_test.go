package metrics_test

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"syncd/internal/metrics"
)

// families returns the house's metrics by name, each with one series.
func families(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewRegistry()
	m := metrics.New(registry)
	for _, touch := range []func(){
		func() { m.Objects.WithLabelValues("m", "copied").Inc() },
		func() { m.CopiedBytes.WithLabelValues("m").Inc() },
		func() { m.Actions.WithLabelValues("m", "missing").Inc() },
		func() { m.Quarantined.WithLabelValues("m", "denied").Inc() },
		func() { m.Requests.WithLabelValues("m", "CopyObject", "").Inc() },
		func() { m.RequestDuration.WithLabelValues("m", "CopyObject").Observe(1) },
		func() { m.Passes.WithLabelValues("m", "complete").Inc() },
		func() { m.PassDuration.WithLabelValues("m").Observe(1) },
		func() { m.CopiesInFlight.WithLabelValues("m").Inc() },
		func() { m.LastSuccess.WithLabelValues("m").Inc() },
		func() { m.LastCompleteListing.WithLabelValues("m").Inc() },
		func() { m.LedgerEntries.WithLabelValues("m").Inc() },
		func() { m.LedgerGeneration.WithLabelValues("m").Inc() },
		func() { m.LeaseHeld.WithLabelValues("m").Set(1) },
		func() { m.LeaseExpiry.WithLabelValues("m").Set(1) },
		func() { m.BuildInfo.WithLabelValues("1", "2", "3").Set(1) },
	} {
		touch()
	}
	gathered, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	ours := map[string]*dto.MetricFamily{}
	for _, family := range gathered {
		if strings.HasPrefix(family.GetName(), "syncd_") {
			ours[family.GetName()] = family
		}
	}
	if got, want := len(ours), reflect.TypeFor[metrics.Metrics]().NumField(); got != want {
		t.Fatalf("got %d metrics, want one for each of the %d fields", got, want)
	}
	return ours
}

// TestEveryMetricIsDocumented holds docs/metrics.md to what is registered: name, type, labels and help.
func TestEveryMetricIsDocumented(t *testing.T) {
	document, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for line := range strings.Lines(string(document)) {
		if strings.HasPrefix(line, "| `syncd_") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	registered := families(t)
	var want []string
	for _, name := range slices.Sorted(maps.Keys(registered)) {
		family := registered[name]
		var labels []string
		for _, label := range family.GetMetric()[0].GetLabel() {
			labels = append(labels, "`"+label.GetName()+"`")
		}
		kind := strings.ToLower(family.GetType().String())
		want = append(want, fmt.Sprintf("| `%s` | %s | %s | %s |", name, kind, strings.Join(labels, ", "), family.GetHelp()))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/metrics.md (-registered +documented):\n%s", diff)
	}
}

func TestHistogramsAreNativeAndClassic(t *testing.T) {
	for name, family := range families(t) {
		if family.GetType() != dto.MetricType_HISTOGRAM {
			continue
		}
		h := family.GetMetric()[0].GetHistogram()
		if len(h.GetBucket()) == 0 || h.Schema == nil {
			t.Errorf("%s: got %d classic buckets, native schema %v; want both forms", name, len(h.GetBucket()), h.Schema)
		}
	}
}
