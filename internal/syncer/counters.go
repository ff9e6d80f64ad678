package syncer

import (
	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/metrics"
)

// counters are the metrics of one mapping, looked up once: a pass counts millions of times.
type counters struct {
	objects     *prometheus.CounterVec // by outcome
	actions     *prometheus.CounterVec // by reason
	quarantined *prometheus.CounterVec // by reason
	passes      *prometheus.CounterVec // by result
	bytes       prometheus.Counter
	inFlight    prometheus.Gauge
	duration    prometheus.Observer
	lastSuccess prometheus.Gauge
	lastListing prometheus.Gauge
	entries     prometheus.Gauge
	generation  prometheus.Gauge
}

func newCounters(m *metrics.Metrics, mapping string) counters {
	by := prometheus.Labels{"mapping": mapping}
	return counters{
		objects: m.Objects.MustCurryWith(by), actions: m.Actions.MustCurryWith(by),
		quarantined: m.Quarantined.MustCurryWith(by), passes: m.Passes.MustCurryWith(by),
		bytes: m.CopiedBytes.With(by), inFlight: m.CopiesInFlight.With(by), duration: m.PassDuration.With(by),
		lastSuccess: m.LastSuccess.With(by), lastListing: m.LastCompleteListing.With(by),
		entries: m.LedgerEntries.With(by), generation: m.LedgerGeneration.With(by),
	}
}
