// Package figure reads from the metrics what they say of each mapping, so that pages and metrics
// never disagree.
//
// It promises that what the metrics do not say is nil, the zero time or an empty map, and never 0,
// and that a metric which cannot be gathered leaves the others.
//
// It leaves to the syncer, the throttle and the sessions what they count, and to package status how
// it is shown.
//
// The words: a figure is what the metrics say of one mapping; a sign of life is anything that a
// pass does not do without getting on.
package figure

import (
	"log/slog"
	"maps"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/daemon/status"
)

// Figure is what the metrics say of one mapping. What they do not say is nil, the zero time or an
// empty map.
type Figure struct {
	// OldestUnsynced is an age in seconds.
	OldestUnsynced *float64
	// LastSuccess is when a pass reached its end last, LastListing when the source was listed to
	// its end last.
	LastSuccess, LastListing time.Time
	// Generation and Entries are those of the ledger.
	Generation, Entries *int64
	// BacklogObjects and BacklogBytes are listed and still to be copied.
	BacklogObjects, BacklogBytes *int64
	// Quarantine counts objects by reason.
	Quarantine map[string]int64
	// LeaseHeld says that the lease is held here, until LeaseExpiry unless it is renewed.
	LeaseHeld   bool
	LeaseExpiry time.Time
	// Credentials is when the session of each side ends.
	Credentials map[string]time.Time
	// Concurrency is how many requests may be sent at once, Rates how many per second by side,
	// Throttles how often a service asked to slow down.
	Concurrency *int64
	Rates       map[string]float64
	Throttles   int64
	// ClockSkew is that of the process, in seconds; nil while it is not known.
	ClockSkew *float64
	// Signs counts signs of life: whatever it is that grows.
	Signs float64
}

// Figures are what the metrics say, by mapping; those of the process as a whole under "".
type Figures map[string]*Figure

// Of returns the figure of a mapping, an empty one where the metrics say nothing.
func (f Figures) Of(mapping string) *Figure {
	if known := f[mapping]; known != nil {
		return known
	}
	return &Figure{}
}

func (f Figures) at(mapping string) *Figure {
	if f[mapping] == nil {
		f[mapping] = &Figure{Quarantine: map[string]int64{}, Credentials: map[string]time.Time{}, Rates: map[string]float64{}}
	}
	return f[mapping]
}

// Read asks the metrics. What cannot be gathered is missing, and logged: a page that shows less is
// better than none.
func Read(from prometheus.Gatherer, log *slog.Logger) Figures {
	families, err := from.Gather()
	if err != nil {
		log.Warn("metrics were not gathered whole", "err", err)
	}
	known := Figures{}
	for _, family := range families {
		read := reader(family.GetName())
		if read == nil {
			continue
		}
		for _, m := range family.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if mapping := labels["mapping"]; mapping != "" || len(labels) == 0 {
				read(known.at(mapping), labels, m.GetGauge().GetValue()+m.GetCounter().GetValue())
			}
		}
	}
	return known
}

// reader returns how a metric is read, nil for one that is not.
func reader(name string) func(f *Figure, labels map[string]string, value float64) {
	switch name {
	case "syncd_requests_total", "syncd_objects_total", "syncd_actions_total", "syncd_ledger_store_writes_total":
		return func(f *Figure, _ map[string]string, v float64) { f.Signs += v }
	case "syncd_oldest_unsynced_seconds":
		return func(f *Figure, _ map[string]string, v float64) { f.OldestUnsynced = &v }
	case "syncd_last_success_timestamp_seconds":
		return func(f *Figure, _ map[string]string, v float64) { f.LastSuccess = moment(v) }
	case "syncd_last_complete_listing_timestamp_seconds":
		return func(f *Figure, _ map[string]string, v float64) { f.LastListing = moment(v) }
	case "syncd_ledger_generation":
		return func(f *Figure, _ map[string]string, v float64) { f.Generation = whole(v) }
	case "syncd_ledger_entries":
		return func(f *Figure, _ map[string]string, v float64) { f.Entries = whole(v) }
	case "syncd_backlog_objects":
		return func(f *Figure, _ map[string]string, v float64) { f.BacklogObjects = whole(v) }
	case "syncd_backlog_bytes":
		return func(f *Figure, _ map[string]string, v float64) { f.BacklogBytes = whole(v) }
	case "syncd_quarantine_objects":
		return func(f *Figure, l map[string]string, v float64) { f.Quarantine[l["reason"]] = int64(v) }
	default:
		return boundReader(name)
	}
}

// boundReader is the reader of what bounds a mapping.
func boundReader(name string) func(f *Figure, labels map[string]string, value float64) {
	switch name {
	case "syncd_lease_held":
		return func(f *Figure, _ map[string]string, v float64) { f.LeaseHeld = v == 1 }
	case "syncd_lease_expiry_timestamp_seconds":
		return func(f *Figure, _ map[string]string, v float64) { f.LeaseExpiry = moment(v) }
	case "syncd_credential_expiry_timestamp_seconds":
		return func(f *Figure, l map[string]string, v float64) { f.Credentials[l["side"]] = moment(v) }
	case "syncd_clock_skew_seconds":
		return func(f *Figure, _ map[string]string, v float64) { f.ClockSkew = &v }
	case "syncd_concurrency_limit":
		return func(f *Figure, _ map[string]string, v float64) { f.Concurrency = whole(v) }
	case "syncd_rate_limit_requests_per_second":
		return func(f *Figure, l map[string]string, v float64) { f.Rates[l["side"]] = v }
	case "syncd_throttles_total":
		return func(f *Figure, _ map[string]string, v float64) { f.Throttles += int64(v) }
	default:
		return nil
	}
}

// whole returns a number of things.
func whole(v float64) *int64 {
	n := int64(v)
	return &n
}

// Describe enters what is known into the status of the mapping.
func (f *Figure) Describe(m *status.Mapping) {
	m.OldestUnsyncedSeconds, m.LastSuccess, m.LastListing = f.OldestUnsynced, known(f.LastSuccess), known(f.LastListing)
	m.Generation, m.Entries, m.BacklogObjects, m.BacklogBytes = f.Generation, f.Entries, f.BacklogObjects, f.BacklogBytes
	m.Quarantine = f.knownQuarantine()
	m.Lease.Held, m.Lease.ExpiresAt = f.LeaseHeld, known(f.LeaseExpiry)
	m.Credentials, m.Concurrency, m.RateLimits, m.Throttled = filled(f.Credentials), f.Concurrency, filled(f.Rates), f.Throttles
}

// HasAside reports whether objects are in quarantine.
func (f *Figure) HasAside() bool {
	for _, n := range f.Quarantine {
		if n > 0 {
			return true
		}
	}
	return false
}

// knownQuarantine returns the objects in quarantine by reason, nil before the ledger was read.
func (f *Figure) knownQuarantine() map[string]int64 {
	if f.Generation == nil && len(f.Quarantine) == 0 {
		return nil
	}
	return filled(f.Quarantine)
}

// moment returns the time of a Unix time in seconds, in UTC, to the millisecond; the zero time for
// 0.
func moment(seconds float64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC()
}

// known returns a time that there is, nil for the zero one.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// filled returns a copy that is never nil, so that it is an object in JSON.
func filled[V any](m map[string]V) map[string]V {
	if m == nil {
		return map[string]V{}
	}
	return maps.Clone(m)
}
