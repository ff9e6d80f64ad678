package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/figure"
)

// figures is a collector for the data about mappings. It reads the board at each scrape. Unknown
// values have no series.
type figures struct {
	board *figure.Board
	of    []figureMetric
	skew  *prometheus.Desc
}

// figureMetric is a metric with a value from a Figure.
type figureMetric struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(f figure.Figure, show show)
}

// show emits a value of one mapping with its additional labels.
type show func(value float64, labels ...string)

var _ prometheus.Collector = (*figures)(nil)

func newFigures(board *figure.Board) *figures {
	return &figures{
		board: board,
		skew:  desc("clock_skew_seconds", "Seconds by which the clock of this machine is ahead of the AWS clock (Date header of responses); negative if it is behind, absent before the first response."),
		of: []figureMetric{
			ofMapping("last_success_timestamp_seconds", "Unix time at which the last finished pass ended; in a finished pass every object is copied, adopted, unchanged, skipped or quarantined.",
				func(f figure.Figure, show show) { show.time(f.LastSuccess) }),
			ofMapping("last_complete_listing_timestamp_seconds", "Unix time at which the source was last fully listed.",
				func(f figure.Figure, show show) { show.time(f.LastListing) }),
			ofMapping("ledger_entries", "Entries of the ledger's last committed generation; absent before the ledger was read.",
				func(f figure.Figure, show show) { show.count(f.Entries) }),
			ofMapping("ledger_generation", "Number of the ledger's last committed generation, 0 for none; absent before the ledger was read.",
				func(f figure.Figure, show show) { show.count(f.Generation) }),
			ofMapping("lease_held", "1 while this process holds the lease on the mapping's ledger, 0 otherwise.",
				func(f figure.Figure, show show) { show.flag(f.LeaseHeld) }),
			ofMapping("lease_expiry_timestamp_seconds", "Unix time at which the lease on the ledger expires unless it is renewed, whichever process holds it; absent for a ledger in a folder.",
				func(f figure.Figure, show show) { show.time(f.LeaseExpiry) }),
			ofMapping("oldest_unsynced_seconds", "Age of the oldest known change of the source that was not copied, including objects in quarantine; 0 if there is none, absent before the source was listed.",
				func(f figure.Figure, show show) { show.known(f.OldestUnsynced) }),
			ofMapping("backlog_objects", "Objects that were listed and must still be copied; absent before the source was listed.",
				func(f figure.Figure, show show) { show.count(f.BacklogObjects) }),
			ofMapping("backlog_bytes", "Bytes that were listed and must still be copied; absent before the source was listed.",
				func(f figure.Figure, show show) { show.count(f.BacklogBytes) }),
			ofMapping("ranges", "Ranges of the source that the current pass is walking; 0 between passes.",
				func(f figure.Figure, show show) { show(float64(f.Ranges)) }),
			ofMapping("oldest_range_seconds", "Time since the current pass began to walk the oldest of the ranges that it is walking; 0 between passes.",
				func(f figure.Figure, show show) { show(f.OldestRange.Seconds) }),
			ofMapping("quarantine_objects", "Objects in quarantine after the last pass, by reason; reasons without objects are absent, and so are all reasons before the ledger was read.",
				func(f figure.Figure, show show) { showEach(show, f.Quarantine, countOf) }, "reason"),
			ofMapping("credential_expiry_timestamp_seconds", "Unix time at which the session of a side expires unless it is renewed; absent before the first session and for ambient credentials without an expiry.",
				func(f figure.Figure, show show) { showEach(show, f.Credentials, unix) }, "side"),
			ofMapping("concurrency_limit", "Requests that may be in flight at once.",
				func(f figure.Figure, show show) { show.count(f.Concurrency) }),
			ofMapping("rate_limit_requests_per_second", "Requests per second that may be sent to a service, as learned from throttling or as configured; absent if there is no limit.",
				func(f figure.Figure, show show) {
					showEach(show, f.Rates, func(perSecond float64) float64 { return perSecond })
				}, "side"),
			ofMapping("throttles_total", "Throttled responses to requests of this mapping, not counting other mappings that share the quota.",
				func(f figure.Figure, show show) { showEach(show, f.Throttles, countOf) }, "side").counting(),
		},
	}
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName("syncd", "", name), help, labels, nil)
}

// ofMapping returns a gauge whose first label is the mapping.
func ofMapping(name, help string, read func(f figure.Figure, show show), labels ...string) figureMetric {
	return figureMetric{desc: desc(name, help, append([]string{"mapping"}, labels...)...), kind: prometheus.GaugeValue, read: read}
}

// counting converts a gauge to a counter.
func (m figureMetric) counting() figureMetric {
	m.kind = prometheus.CounterValue
	return m
}

// time emits a time if it is known.
func (s show) time(t time.Time) {
	if !t.IsZero() {
		s(unix(t))
	}
}

// count emits a number if it is known.
func (s show) count(n *int64) {
	if n != nil {
		s(float64(*n))
	}
}

// known emits a value if it is known.
func (s show) known(v *float64) {
	if v != nil {
		s(*v)
	}
}

// flag emits 1 for true and 0 for false.
func (s show) flag(isSo bool) {
	if isSo {
		s(1)
	} else {
		s(0)
	}
}

// showEach emits the values of a map, each with its key as the label.
func showEach[V any](show show, values map[string]V, number func(V) float64) {
	for label, v := range values {
		show(number(v), label)
	}
}

func countOf(n int64) float64 { return float64(n) }

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// Describe sends the descriptions of the metrics.
func (s *figures) Describe(to chan<- *prometheus.Desc) {
	to <- s.skew
	for _, m := range s.of {
		to <- m.desc
	}
}

// Collect reads the board and sends the metrics.
func (s *figures) Collect(to chan<- prometheus.Metric) {
	if skew := s.board.ClockSkew(); skew != nil {
		to <- constant(s.skew, prometheus.GaugeValue, *skew)
	}
	for mapping, f := range s.board.All() {
		for _, m := range s.of {
			m.read(f, func(value float64, labels ...string) {
				to <- constant(m.desc, m.kind, value, append([]string{mapping}, labels...)...)
			})
		}
	}
}

func constant(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) prometheus.Metric {
	return prometheus.MustNewConstMetric(desc, kind, value, labels...)
}
