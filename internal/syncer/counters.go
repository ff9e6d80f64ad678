package syncer

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/store"
	"syncd/internal/metrics"
)

// The outcomes of a listed object, as metrics name them.
const (
	outcomeCopied      = "copied"
	outcomeAdopted     = "adopted"
	outcomeUnchanged   = "unchanged"
	outcomeSkipped     = "skipped"
	outcomeQuarantined = "quarantined"
	outcomeHeld        = "held" // in quarantine and not due to be tried again
)

// counters are the metrics of one mapping, looked up once: a pass counts millions of times.
type counters struct {
	objects     *prometheus.CounterVec // by outcome
	actions     *prometheus.CounterVec // by reason
	quarantined *prometheus.CounterVec // by reason
	passes      *prometheus.CounterVec // by result
	bytes       prometheus.Counter
	cost        prometheus.Counter
	inFlight    prometheus.Gauge
	duration    prometheus.Observer
	lastSuccess *prometheus.GaugeVec // without labels; a series that begins when its time is known
	lastListing *prometheus.GaugeVec // likewise
	entries     *prometheus.GaugeVec // likewise, with the first reading of the ledger
	generation  *prometheus.GaugeVec // likewise
	leaseHeld   prometheus.Gauge
	leaseExpiry *prometheus.GaugeVec // without labels; a series that begins with the first lease that ends by itself

	backlogObjects *prometheus.GaugeVec // without labels; a series while the backlog is known
	backlogBytes   *prometheus.GaugeVec // likewise
	quarantine     *prometheus.GaugeVec // by reason
	copyDuration   prometheus.Observer
	storeWrites    prometheus.Counter
	unconditional  prometheus.Counter
	shortened      prometheus.Counter
}

func newCounters(m *metrics.Metrics, mapping string) counters {
	by := prometheus.Labels{"mapping": mapping}
	m.QuarantineObjects.DeletePartialMatch(by) // of the mapping under a former configuration: what is there is read again
	c := counters{
		objects: m.Objects.MustCurryWith(by), actions: m.Actions.MustCurryWith(by),
		quarantined: m.Quarantined.MustCurryWith(by), passes: m.Passes.MustCurryWith(by),
		bytes: m.CopiedBytes.With(by), cost: m.Cost.With(by), inFlight: m.CopiesInFlight.With(by), duration: m.PassDuration.With(by),
		lastSuccess: m.LastSuccess.MustCurryWith(by), lastListing: m.LastCompleteListing.MustCurryWith(by),
		entries: m.LedgerEntries.MustCurryWith(by), generation: m.LedgerGeneration.MustCurryWith(by),
		leaseHeld: m.LeaseHeld.With(by), leaseExpiry: m.LeaseExpiry.MustCurryWith(by),
		backlogObjects: m.BacklogObjects.MustCurryWith(by), backlogBytes: m.BacklogBytes.MustCurryWith(by), quarantine: m.QuarantineObjects.MustCurryWith(by),
		copyDuration: m.CopyDuration.With(by), storeWrites: m.StoreWrites.With(by), unconditional: m.UnconditionalWrites.With(by), shortened: m.ShortenedRetentions.With(by),
	}
	c.begin()
	return c
}

// begin has the series count from 0 whose values are known beforehand: one that appears with its
// first event hides that from increase() and rate().
func (c counters) begin() {
	for _, result := range []string{history.ResultComplete, history.ResultQuarantined, history.ResultDrained, history.ResultDenied, history.ResultFailed} {
		c.passes.WithLabelValues(result)
	}
	for _, outcome := range []string{outcomeCopied, outcomeAdopted, outcomeUnchanged, outcomeSkipped, outcomeQuarantined, outcomeHeld} {
		c.objects.WithLabelValues(outcome)
	}
}

// committed shows the last generation of the ledger; 0 says that there is none.
func (c counters) committed(generation, entries int64) {
	c.generation.WithLabelValues().Set(float64(generation))
	c.entries.WithLabelValues().Set(float64(entries))
}

// listed shows when a pass over the source was committed before, so that a process that has just
// started does not look as if nothing had ever been copied.
func (c counters) listed(at time.Time) {
	c.lastSuccess.WithLabelValues().Set(unix(at))
	c.lastListing.WithLabelValues().Set(unix(at))
}

// lease shows whether the lease is held here, and until when by another where err says so.
func (c counters) lease(err error) {
	if err == nil {
		c.leaseHeld.Set(1)
		return
	}
	c.leaseHeld.Set(0)
	if held, ok := errors.AsType[*store.LeaseHeldError](err); ok && !held.Until.IsZero() {
		c.leaseExpiry.WithLabelValues().Set(unix(held.Until))
	}
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
