// Package metrics defines every metric of syncd, on a registry that is passed in.
//
// Names follow the Prometheus conventions: syncd_ + noun + unit, base units, _total for counters.
// Labels have few values: mapping, outcome, reason, operation, class. Object keys and ETags are
// never label values. The list of metrics in docs/metrics.md is checked against the metrics that
// [New] registers.
//
// The syncer and the daemon count the events; the packages that they use do not count anything. The
// current data about mappings is not set here: it is read from a [figure.Board] at each scrape,
// like the data of the status page.
//
// Two terms: an outcome is the result for a listed object (copied, unchanged, skipped,
// quarantined); a reason is why an action was planned or an object was quarantined.
package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"syncd/internal/figure"
)

// Metrics contains the metrics that syncd counts or sets. The other metrics are read from the
// board.
type Metrics struct {
	// Objects counts listed objects by mapping and outcome.
	Objects *prometheus.CounterVec
	// CopiedBytes counts the bytes of copied objects by mapping.
	CopiedBytes *prometheus.CounterVec
	// Actions counts planned actions by mapping and reason.
	Actions *prometheus.CounterVec
	// Quarantined counts quarantined objects by mapping and reason.
	Quarantined *prometheus.CounterVec
	// Requests counts HTTP requests by mapping, operation and class of error.
	Requests *prometheus.CounterVec
	// RequestDuration observes the duration of requests in seconds by mapping and operation.
	RequestDuration *prometheus.HistogramVec
	// Passes counts ended passes by mapping and result.
	Passes *prometheus.CounterVec
	// PassDuration observes the duration of ended passes in seconds by mapping.
	PassDuration *prometheus.HistogramVec
	// CopiesInFlight is the number of objects being copied, by mapping.
	CopiesInFlight *prometheus.GaugeVec
	// CopyDuration observes the duration of single copies in seconds by mapping.
	CopyDuration *prometheus.HistogramVec
	// StoreWrites counts records of the ledger written or deleted, by mapping.
	StoreWrites *prometheus.CounterVec
	// UnconditionalWrites counts copies that were written without a condition, by mapping.
	UnconditionalWrites *prometheus.CounterVec
	// Deletes counts copies that were due to be deleted, by mapping and outcome. DeletesWithheld is
	// how many copies the last pass did not delete because a limit forbids it, by mapping.
	Deletes         *prometheus.CounterVec
	DeletesWithheld *prometheus.GaugeVec
	// Differences counts what the last verification found, by mapping and kind. LastVerified is when it
	// ended.
	Differences, LastVerified *prometheus.GaugeVec
	// ShortenedRetentions counts copies whose retention ends before their source's, by mapping.
	ShortenedRetentions *prometheus.CounterVec
	// Cost counts the estimated price of requests, retrieval and transfer in US dollars by mapping.
	Cost *prometheus.CounterVec
	// NextPass is the Unix time at which the next pass is due, by mapping.
	NextPass *prometheus.GaugeVec
	// FailingSince is the Unix time of the first failed pass of the current series of failed
	// passes, by mapping.
	FailingSince *prometheus.GaugeVec
	// Paused is 1 while a mapping is paused, by mapping.
	Paused *prometheus.GaugeVec
	// PassesRunning is how many passes are running in this process, PassesWaiting how many mappings
	// wait in line for a pass, and PassesLimit the maximum number of passes that run at the same
	// time.
	PassesRunning *prometheus.GaugeVec
	PassesWaiting *prometheus.GaugeVec
	PassesLimit   *prometheus.GaugeVec
	// PassWaiting is 1 while a mapping waits in line for a pass, by mapping.
	PassWaiting *prometheus.GaugeVec
	// ReloadSuccess is 1 if the configuration was valid when it was last read. LastReload is the
	// Unix time when a valid configuration was last read.
	ReloadSuccess *prometheus.GaugeVec
	LastReload    *prometheus.GaugeVec
	// BuildInfo is always 1. Its labels identify the version of the program.
	BuildInfo *prometheus.GaugeVec
}

// nativeBuckets makes histograms also available as native histograms, with a growth factor of 10
// percent per bucket.
const nativeBuckets = 1.1

// New registers all metrics on reg: those that are counted, those that are read from the board, and
// those of the Go runtime and the process. It panics if one of them is already registered.
func New(reg prometheus.Registerer, board *figure.Board) *Metrics {
	m := &Metrics{
		Objects:             counter("objects_total", "Listed objects by outcome.", "mapping", "outcome"),
		CopiedBytes:         counter("copied_bytes_total", "Bytes of objects that were copied and confirmed.", "mapping"),
		Actions:             counter("actions_total", "Planned actions by reason.", "mapping", "reason"),
		Quarantined:         counter("quarantined_objects_total", "Quarantined objects by reason; an object counts again in every pass that quarantines it.", "mapping", "reason"),
		Requests:            counter("requests_total", "Requests sent to AWS, including retries, by operation and class of error (empty for a success).", "mapping", "operation", "class"),
		RequestDuration:     histogram("request_duration_seconds", "Duration of requests to AWS.", prometheus.DefBuckets, "mapping", "operation"),
		Passes:              counter("passes_total", "Ended passes by result: complete, quarantined, undeleted, drained, denied or failed.", "mapping", "result"),
		PassDuration:        histogram("pass_duration_seconds", "Duration of ended passes.", prometheus.ExponentialBuckets(0.1, 4, 10), "mapping"),
		CopiesInFlight:      gauge("copies_in_flight", "Objects that are being copied.", "mapping"),
		CopyDuration:        histogram("copy_duration_seconds", "Duration of single copies, including all parts and retries.", prometheus.DefBuckets, "mapping"),
		StoreWrites:         counter("ledger_store_writes_total", "Records of the ledger that were written or deleted.", "mapping"),
		UnconditionalWrites: counter("unconditional_writes_total", "Copies written without a condition on the object at the destination, because the role or the service does not allow one.", "mapping"),
		Deletes:             counter("deletes_total", "Copies that were due to be deleted because their source objects are gone, by outcome: deleted, absent, returned, overwritten or refused.", "mapping", "outcome"),
		DeletesWithheld:     gauge("deletes_withheld", "Copies that the last pass did not delete because a limit of delete, or an empty source, forbids all deletes.", "mapping"),
		ShortenedRetentions: counter("shortened_retentions_total", "Copies whose retention was shortened to copy.object_lock_max, so that it ends before that of their source.", "mapping"),
		Cost:                counter("cost_dollars_total", "Estimated cost in US dollars at us-east-1 list prices: requests to S3 and KMS, retrieval, and transfer to another region.", "mapping"),
		Differences:         gauge("verify_differences", "Differences between the destination and the source or the ledger that the last verification in this process found and the next pass does not mend, by kind.", "mapping", "kind"),
		LastVerified:        gauge("verify_last_success_timestamp_seconds", "Unix time at which the last verification in this process ended; absent before the first.", "mapping"),
		NextPass:            gauge("next_pass_timestamp_seconds", "Unix time at which the next pass is due.", "mapping"),
		FailingSince:        gauge("failing_since_timestamp_seconds", "Unix time of the first failed pass since the last one that did not fail; present also while the next pass is running, absent if the last pass did not fail.", "mapping"),
		Paused:              gauge("mapping_paused", "1 while the mapping is paused, 0 otherwise.", "mapping"),
		PassesRunning:       gauge("passes_running", "Passes that are running in this process."),
		PassesWaiting:       gauge("passes_waiting", "Mappings that are waiting in line for a pass."),
		PassesLimit:         gauge("passes_limit", "Maximum number of passes that may run at the same time in this process (the setting passes)."),
		PassWaiting:         gauge("pass_waiting", "1 while the mapping is waiting in line for a pass, 0 otherwise.", "mapping"),
		ReloadSuccess:       gauge("config_reload_success", "1 if the configuration that was read last was valid, 0 if it was rejected and the previous one is still in use."),
		LastReload:          gauge("config_last_reload_success_timestamp_seconds", "Unix time at which the current configuration was read."),
		BuildInfo:           gauge("build_info", "Always 1; the labels identify the version of the program.", "version", "revision", "goversion"),
	}
	reg.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), newFigures(board),
		m.PassesRunning, m.PassesWaiting, m.PassesLimit, m.ReloadSuccess, m.LastReload, m.BuildInfo,
	)
	for _, vec := range m.ofMappings() {
		reg.MustRegister(vec)
	}
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
