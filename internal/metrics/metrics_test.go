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

func one() (float64, bool) { return 1, true }

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
		func() { m.CopyDuration.WithLabelValues("m").Observe(1) },
		func() { m.OldestUnsynced.Set(one, "m") },
		func() { m.ClockSkew.Set(one) },
		func() { m.BacklogObjects.WithLabelValues("m").Set(1) },
		func() { m.BacklogBytes.WithLabelValues("m").Set(1) },
		func() { m.QuarantineObjects.WithLabelValues("m", "denied").Set(1) },
		func() { m.StoreWrites.WithLabelValues("m").Inc() },
		func() { m.UnconditionalWrites.WithLabelValues("m").Inc() },
		func() { m.ShortenedRetentions.WithLabelValues("m").Inc() },
		func() { m.CredentialExpiry.Set(one, "m", "source") },
		func() { m.ConcurrencyLimit.Set(one, "m") },
		func() { m.RateLimit.Set(one, "m", "kms") },
		func() { m.Throttles.Set(one, "m", "kms") },
		func() { m.Cost.WithLabelValues("m").Inc() },
		func() { m.NextPass.WithLabelValues("m").Set(1) },
		func() { m.FailingSince.WithLabelValues("m").Set(1) },
		func() { m.Paused.WithLabelValues("m").Set(1) },
		func() { m.PassesRunning.WithLabelValues().Set(1) },
		func() { m.PassesWaiting.WithLabelValues().Set(1) },
		func() { m.PassesLimit.WithLabelValues().Set(1) },
		func() { m.PassWaiting.WithLabelValues("m").Set(1) },
		func() { m.ReloadSuccess.WithLabelValues().Set(1) },
		func() { m.LastReload.WithLabelValues().Set(1) },
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

// TestEveryMetricIsDocumented holds docs/metrics.md to what is registered: name, type, labels and
// help.
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

// TestAFuncIsAskedAtEveryScrape has a value that changes while nobody sets it, and one that is not
// known.
func TestAFuncIsAskedAtEveryScrape(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := metrics.New(registry)
	asked := 0.0
	m.OldestUnsynced.Set(func() (float64, bool) { return 0, false }, "unknown")
	m.OldestUnsynced.Set(func() (float64, bool) { asked++; return asked, true }, "m")
	for _, want := range []float64{1, 2} {
		family := gathered(t, registry, "syncd_oldest_unsynced_seconds")
		if n := len(family.GetMetric()); n != 1 {
			t.Fatalf("got %d series, want the one that is known", n)
		}
		if got := family.GetMetric()[0].GetGauge().GetValue(); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	m.OldestUnsynced.Set(func() (float64, bool) { return 7, true }, "m")
	if got := gathered(t, registry, "syncd_oldest_unsynced_seconds").GetMetric()[0].GetGauge().GetValue(); got != 7 {
		t.Errorf("got %v of a func set anew, want 7", got)
	}
}

func gathered(t *testing.T, registry *prometheus.Registry, name string) *dto.MetricFamily {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(families, func(f *dto.MetricFamily) bool { return f.GetName() == name })
	if i < 0 {
		t.Fatalf("got no metric %s", name)
	}
	return families[i]
}
