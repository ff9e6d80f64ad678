// Package metrics holds every metric of syncd, on a registry that is passed in.
//
// It promises names by the Prometheus conventions (syncd_ + noun + unit, base units, _total for
// counters) and labels of bounded number: mapping, outcome, reason, operation, class. Keys and
// ETags are never labels. The list of metrics in docs/metrics.md is checked against what [New]
// registers.
//
// It leaves to the syncer and the daemon when to count; no package beneath them counts anything.
// What is known of a mapping at the moment is not set here: it is read from a [figure.Board] at
// each scrape, as the status page reads it.
//
// Two words: an outcome is what became of a listed object (copied, unchanged, skipped,
// quarantined); a reason is why an action was planned or an object set aside.
package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"syncd/internal/figure"
)

// Metrics are the metrics that are counted or set.
type Metrics struct {
	// Objects counts listed objects by mapping and outcome.
	Objects *prometheus.CounterVec
	// CopiedBytes counts the bytes of copied objects by mapping.
	CopiedBytes *prometheus.CounterVec
	// Actions counts planned actions by mapping and reason.
	Actions *prometheus.CounterVec
	// Quarantined counts objects set aside by mapping and reason.
	Quarantined *prometheus.CounterVec
	// Requests counts requests on the wire by mapping, operation and class of error.
	Requests *prometheus.CounterVec
	// RequestDuration observes the time of requests in seconds by mapping and operation.
	RequestDuration *prometheus.HistogramVec
	// Passes counts ended passes by mapping and result.
	Passes *prometheus.CounterVec
	// PassDuration observes the time of ended passes in seconds by mapping.
	PassDuration *prometheus.HistogramVec
	// CopiesInFlight is the number of objects being copied now by mapping.
	CopiesInFlight *prometheus.GaugeVec
	// CopyDuration observes the time of single copies in seconds by mapping.
	CopyDuration *prometheus.HistogramVec
	// StoreWrites counts records of the ledger written or deleted, by mapping.
	StoreWrites *prometheus.CounterVec
	// UnconditionalWrites counts copies that were written without a condition, by mapping.
	UnconditionalWrites *prometheus.CounterVec
	// ShortenedRetentions counts copies whose retention ends before their source's, by mapping.
	ShortenedRetentions *prometheus.CounterVec
	// Cost counts the estimated price of requests, retrieval and transfer in US dollars, by
	// mapping.
	Cost *prometheus.CounterVec
	// NextPass is the Unix time at which the next pass is due, by mapping.
	NextPass *prometheus.GaugeVec
	// FailingSince is the Unix time at which the first of the passes failed that have failed in a
	// row, by mapping.
	FailingSince *prometheus.GaugeVec
	// Paused is 1 while a mapping is paused, by mapping.
	Paused *prometheus.GaugeVec
	// PassesRunning and PassesWaiting are how many passes run in this process, and how many
	// mappings wait in line for one; PassesLimit is how many may run at once.
	PassesRunning *prometheus.GaugeVec
	PassesWaiting *prometheus.GaugeVec
	PassesLimit   *prometheus.GaugeVec
	// PassWaiting is 1 while a mapping waits in line for a pass, by mapping.
	PassWaiting *prometheus.GaugeVec
	// ReloadSuccess is 1 when the configuration was last read without fault, LastReload the Unix
	// time of the last such.
	ReloadSuccess *prometheus.GaugeVec
	LastReload    *prometheus.GaugeVec
	// BuildInfo is 1, labelled with the version of the program.
	BuildInfo *prometheus.GaugeVec
}

// nativeBuckets makes histograms native ones too, with a growth factor of 10 percent a bucket.
const nativeBuckets = 1.1

// New registers all metrics on reg: those that are counted, those of what the board knows, and
// those of the Go runtime and of the process. It panics when one is registered already.
func New(reg prometheus.Registerer, board *figure.Board) *Metrics {
	m := &Metrics{
		Objects:             counter("objects_total", "Listed objects by what became of them.", "mapping", "outcome"),
		CopiedBytes:         counter("copied_bytes_total", "Bytes of objects that were copied and confirmed.", "mapping"),
		Actions:             counter("actions_total", "Planned actions by the reason for them.", "mapping", "reason"),
		Quarantined:         counter("quarantined_objects_total", "Objects set aside by reason; an object counts again in every pass that sets it aside.", "mapping", "reason"),
		Requests:            counter("requests_total", "Requests sent to AWS, retries included, by operation and class of error (empty for a success).", "mapping", "operation", "class"),
		RequestDuration:     histogram("request_duration_seconds", "Time of requests to AWS.", prometheus.DefBuckets, "mapping", "operation"),
		Passes:              counter("passes_total", "Ended passes by result: complete, quarantined, drained, denied or failed.", "mapping", "result"),
		PassDuration:        histogram("pass_duration_seconds", "Time of ended passes.", prometheus.ExponentialBuckets(0.1, 4, 10), "mapping"),
		CopiesInFlight:      gauge("copies_in_flight", "Objects being copied now.", "mapping"),
		CopyDuration:        histogram("copy_duration_seconds", "Time of single copies, all parts and retries included.", prometheus.DefBuckets, "mapping"),
		StoreWrites:         counter("ledger_store_writes_total", "Records of the ledger that were written or deleted.", "mapping"),
		UnconditionalWrites: counter("unconditional_writes_total", "Copies written without a condition on what the destination holds, because the role or the service allows none.", "mapping"),
		ShortenedRetentions: counter("shortened_retentions_total", "Copies whose retention ends before that of their source, as copy.object_lock_max has it.", "mapping"),
		Cost:                counter("cost_dollars_total", "Estimated price in US dollars, by list prices of us-east-1: requests to S3 and KMS, retrieval, and transfer to another region.", "mapping"),
		NextPass:            gauge("next_pass_timestamp_seconds", "Unix time at which the next pass is due.", "mapping"),
		FailingSince:        gauge("failing_since_timestamp_seconds", "Unix time at which the first of the passes failed that have failed in a row, also while the next one runs; absent when the last one did not fail.", "mapping"),
		Paused:              gauge("mapping_paused", "1 while the mapping is paused, 0 after it was resumed.", "mapping"),
		PassesRunning:       gauge("passes_running", "Passes that run in this process now."),
		PassesWaiting:       gauge("passes_waiting", "Mappings that wait in line for a pass now."),
		PassesLimit:         gauge("passes_limit", "Passes that may run at once in this process, as the setting passes has it."),
		PassWaiting:         gauge("pass_waiting", "1 while the mapping waits in line for a pass, 0 while it does not.", "mapping"),
		ReloadSuccess:       gauge("config_reload_success", "1 when the configuration was last read without fault, 0 when it was refused and the former one is in force."),
		LastReload:          gauge("config_last_reload_success_timestamp_seconds", "Unix time at which the configuration in force was read."),
		BuildInfo:           gauge("build_info", "Always 1; its labels say which program this is.", "version", "revision", "goversion"),
	}
	reg.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newFigures(board),
		m.Objects, m.CopiedBytes, m.Actions, m.Quarantined, m.Requests, m.RequestDuration, m.Passes, m.PassDuration,
		m.CopiesInFlight, m.CopyDuration, m.StoreWrites, m.UnconditionalWrites, m.ShortenedRetentions, m.Cost, m.NextPass, m.Paused, m.FailingSince,
		m.PassesRunning, m.PassesWaiting, m.PassesLimit, m.PassWaiting, m.ReloadSuccess, m.LastReload, m.BuildInfo,
	)
	return m
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "syncd", Name: name, Help: help}, labels)
}

func gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	return prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "syncd", Name: name, Help: help}, labels)
}

func histogram(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Namespace: "syncd", Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor: nativeBuckets, NativeHistogramMaxBucketNumber: 100,
	}, labels)
}
