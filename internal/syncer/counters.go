package syncer

import (
	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/checkpoint/history"
	"syncd/internal/copier/deleting"
	"syncd/internal/metrics"
	"syncd/internal/plan"
)

// The outcomes of a listed object, as used in metrics.
const (
	outcomeCopied      = "copied"
	outcomeAdopted     = "adopted"
	outcomeUnchanged   = "unchanged"
	outcomeSkipped     = "skipped"
	outcomeQuarantined = "quarantined"
	outcomeHeld        = "held" // in quarantine and not due to be tried again
)

// counters are the metrics of one mapping. They are looked up once, because a pass counts millions
// of times.
type counters struct {
	objects     *prometheus.CounterVec // by outcome
	actions     *prometheus.CounterVec // by reason
	quarantined *prometheus.CounterVec // by reason
	passes      *prometheus.CounterVec // by result
	bytes       prometheus.Counter
	cost        prometheus.Counter
	inFlight    prometheus.Gauge
	duration    prometheus.Observer
	beat        func() // records activity for the stall check

	copyDuration  prometheus.Observer
	storeWrites   prometheus.Counter
	unconditional prometheus.Counter
	shortened     prometheus.Counter
	deletes       *prometheus.CounterVec // by outcome
	withheld      prometheus.Gauge
	differences   *prometheus.GaugeVec // by kind
	verified      *prometheus.GaugeVec // has no series before the first verification
}

// newCounters returns the counters of a mapping. It calls beat on every count as a sign of
// activity.
func newCounters(m *metrics.Metrics, mapping string, beat func()) counters {
	by := prometheus.Labels{"mapping": mapping}
	c := counters{
		objects: m.Objects.MustCurryWith(by), actions: m.Actions.MustCurryWith(by),
		quarantined: m.Quarantined.MustCurryWith(by), passes: m.Passes.MustCurryWith(by),
		bytes: m.CopiedBytes.With(by), cost: m.Cost.With(by), inFlight: m.CopiesInFlight.With(by), duration: m.PassDuration.With(by),
		beat: beat, copyDuration: m.CopyDuration.With(by), storeWrites: m.StoreWrites.With(by), unconditional: m.UnconditionalWrites.With(by), shortened: m.ShortenedRetentions.With(by),
		deletes: m.Deletes.MustCurryWith(by), withheld: m.DeletesWithheld.With(by),
		differences: m.Differences.MustCurryWith(by), verified: m.LastVerified.MustCurryWith(by),
	}
	c.begin()
	return c
}

// begin creates the series whose label values are known, with the value 0. If a series first
// appeared with its first event, increase() and rate() would not count that event.
func (c counters) begin() {
	for _, result := range []string{history.ResultComplete, history.ResultQuarantined, history.ResultUndeleted, history.ResultDrained, history.ResultDenied, history.ResultFailed} {
		c.passes.WithLabelValues(result)
	}
	for _, outcome := range []string{outcomeCopied, outcomeAdopted, outcomeUnchanged, outcomeSkipped, outcomeQuarantined, outcomeHeld} {
		c.objects.WithLabelValues(outcome)
	}
	for _, ending := range []deleting.Ending{deleting.Deleted, deleting.Absent, deleting.Returned, deleting.Overwritten, deleting.Refused} {
		c.deletes.WithLabelValues(string(ending))
	}
}

// object counts an object by its outcome.
func (c counters) object(outcome string) {
	c.objects.WithLabelValues(outcome).Inc()
	c.beat()
}

// action counts a planned action by its reason.
func (c counters) action(reason plan.Reason) {
	c.actions.WithLabelValues(string(reason)).Inc()
	c.beat()
}

// storeWrite counts a ledger record that is written or deleted.
func (c counters) storeWrite() {
	c.storeWrites.Inc()
	c.beat()
}
