package metrics_test

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"syncd/internal/figure"
	"syncd/internal/metrics"
)

func one() (float64, bool) { return 1, true }

// families returns the metrics of syncd by name, each with one series.
func families(t *testing.T) map[string]*dto.MetricFamily {
	t.Helper()
	registry, board := prometheus.NewRegistry(), figure.NewBoard()
	m := metrics.New(registry, board)
	for _, touch := range []func(){
		func() { know(board.Of("m")) },
		func() { board.AskClockSkew(one) },
		func() { m.Objects.WithLabelValues("m", "copied").Inc() },
		func() { m.CopiedBytes.WithLabelValues("m").Inc() },
		func() { m.Actions.WithLabelValues("m", "missing").Inc() },
		func() { m.Quarantined.WithLabelValues("m", "denied").Inc() },
		func() { m.Requests.WithLabelValues("m", "CopyObject", "").Inc() },
		func() { m.RequestDuration.WithLabelValues("m", "CopyObject").Observe(1) },
		func() { m.Passes.WithLabelValues("m", "complete").Inc() },
		func() { m.PassDuration.WithLabelValues("m").Observe(1) },
		func() { m.CopiesInFlight.WithLabelValues("m").Inc() },
		func() { m.CopyDuration.WithLabelValues("m").Observe(1) },
		func() { m.StoreWrites.WithLabelValues("m").Inc() },
		func() { m.UnconditionalWrites.WithLabelValues("m").Inc() },
		func() { m.ShortenedRetentions.WithLabelValues("m").Inc() },
		func() { m.Deletes.WithLabelValues("m", "deleted").Inc() },
		func() { m.DeletesWithheld.WithLabelValues("m").Set(1) },
		func() { m.Differences.WithLabelValues("m", "missing").Set(1) },
		func() { m.LastVerified.WithLabelValues("m").Set(1) },
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
	const ofTheBoard = 1 // the clock skew
	if got, want := len(ours), reflect.TypeFor[metrics.Metrics]().NumField()+reflect.TypeFor[figure.Figure]().NumField()+ofTheBoard; got != want {
		t.Fatalf("got %d metrics, want one for each of the %d fields", got, want)
	}
	return ours
}

// know sets every value of a mapping.
func know(m *figure.Mapping) {
	at := time.Unix(1, 0)
	m.SetLastSuccess(at)
	m.SetLastListing(at)
	m.SetLedger(1, 1)
	m.SetBacklog(1, 1)
	m.SetQuarantine(map[string]int64{"denied": 1})
	m.SetLeaseHeld(true)
	m.SetLeaseExpiry(at)
	m.AskOldest(one)
	m.AskCredentials("source", func() (time.Time, bool) { return at, true })
	m.AskConcurrency(func() int64 { return 1 })
	m.AskRanges(func() (int64, figure.Range) { return 1, figure.Range{Seconds: 1, After: "a/key"} })
	m.AskRate("kms", one)
	m.AskThrottles("kms", func() int64 { return 1 })
}

// TestEveryMetricIsDocumented compares docs/metrics.md with the registered metrics: name, type,
// labels and help.
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

// TestAFuncIsAskedAtEveryScrape checks that each scrape shows the current value of a func, and no
// series if the value is unknown.
func TestAFuncIsAskedAtEveryScrape(t *testing.T) {
	registry, board := prometheus.NewRegistry(), figure.NewBoard()
	metrics.New(registry, board)
	asked := 0.0
	board.Of("unknown").AskOldest(func() (float64, bool) { return 0, false })
	board.Of("m").AskOldest(func() (float64, bool) { asked++; return asked, true })
	for _, want := range []float64{1, 2} {
		family := gathered(t, registry, "syncd_oldest_unsynced_seconds")
		if n := len(family.GetMetric()); n != 1 {
			t.Fatalf("got %d series, want the one that is known", n)
		}
		if got := family.GetMetric()[0].GetGauge().GetValue(); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	board.Of("m").AskOldest(func() (float64, bool) { return 7, true })
	if got := gathered(t, registry, "syncd_oldest_unsynced_seconds").GetMetric()[0].GetGauge().GetValue(); got != 7 {
		t.Errorf("got %v from a new func, want 7", got)
	}
}

// TestUnknownHasNoSeries checks that unknown values have no series. Only the lease of the mapping and
// its ranges, which are always known, have series with the value 0.
func TestUnknownHasNoSeries(t *testing.T) {
	registry, board := prometheus.NewRegistry(), figure.NewBoard()
	metrics.New(registry, board)
	m := board.Of("m")
	m.AskOldest(func() (float64, bool) { return 0, false })
	m.AskCredentials("source", func() (time.Time, bool) { return time.Time{}, false })
	m.AskRate("kms", func() (float64, bool) { return 0, false })
	m.SetBacklog(0, 0)
	m.ClearBacklog()
	m.SetQuarantine(map[string]int64{"denied": 1})
	m.SetQuarantine(nil)
	board.AskClockSkew(func() (float64, bool) { return 0, false })
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, family := range families {
		if strings.HasPrefix(family.GetName(), "syncd_") {
			got = append(got, fmt.Sprint(family.GetName(), " ", family.GetMetric()[0].GetGauge().GetValue()))
		}
	}
	if diff := cmp.Diff([]string{"syncd_lease_held 0", "syncd_oldest_range_seconds 0", "syncd_ranges 0"}, got); diff != "" {
		t.Errorf("got series of what is not known (-want +got):\n%s", diff)
	}
}

// TestScrapesDuringChanges checks that scrapes are complete while the values of mappings are set
// and mappings are forgotten and added again.
func TestScrapesDuringChanges(t *testing.T) {
	registry, board := prometheus.NewRegistry(), figure.NewBoard()
	metrics.New(registry, board)
	var changing sync.WaitGroup
	end := make(chan struct{})
	for range 2 {
		changing.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
					know(board.Of("m"))
					board.AskClockSkew(one)
					board.Forget("m")
				}
			}
		})
	}
	for range 200 {
		if _, err := registry.Gather(); err != nil {
			t.Error(err)
		}
	}
	close(end)
	changing.Wait()
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
