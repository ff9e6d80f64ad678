package daemon

import "time"

// figure is what the metrics say of one mapping. What they do not say is nil, the zero time or an empty map.
type figure struct {
	oldestUnsynced             *float64 // seconds
	lastSuccess, lastListing   time.Time
	generation, entries        *int64
	backlogObjects, backlogLen *int64
	quarantine                 map[string]int64
	leaseHeld                  bool
	leaseExpiry                time.Time
	credentials                map[string]time.Time // by side
	concurrency                *int64
	rates                      map[string]float64 // requests per second by side
	throttles                  int64
	clockSkew                  *float64 // of the process, in seconds; nil while it is not known
	// signs counts signs of life: whatever it is that grows.
	signs float64
}

// figures are what the metrics say, by mapping; those of the process as a whole under "".
type figures map[string]*figure

// of returns the figure of a mapping, an empty one where the metrics say nothing.
func (f figures) of(mapping string) *figure {
	if known := f[mapping]; known != nil {
		return known
	}
	return &figure{}
}

func (f figures) at(mapping string) *figure {
	if f[mapping] == nil {
		f[mapping] = &figure{quarantine: map[string]int64{}, credentials: map[string]time.Time{}, rates: map[string]float64{}}
	}
	return f[mapping]
}

// figures asks the metrics. What cannot be gathered is missing: a page that shows less is better than none.
func (d *Daemon) figures() figures {
	families, err := d.o.Gatherer.Gather()
	if err != nil {
		d.o.Logger.Warn("metrics were not gathered whole", "err", err)
	}
	known := figures{}
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
func reader(name string) func(f *figure, labels map[string]string, value float64) {
	switch name {
	case "syncd_requests_total", "syncd_objects_total", "syncd_actions_total", "syncd_ledger_store_writes_total":
		return func(f *figure, _ map[string]string, v float64) { f.signs += v }
	case "syncd_oldest_unsynced_seconds":
		return func(f *figure, _ map[string]string, v float64) { f.oldestUnsynced = &v }
	case "syncd_last_success_timestamp_seconds":
		return func(f *figure, _ map[string]string, v float64) { f.lastSuccess = moment(v) }
	case "syncd_last_complete_listing_timestamp_seconds":
		return func(f *figure, _ map[string]string, v float64) { f.lastListing = moment(v) }
	case "syncd_ledger_generation":
		return func(f *figure, _ map[string]string, v float64) { f.generation = whole(v) }
	case "syncd_ledger_entries":
		return func(f *figure, _ map[string]string, v float64) { f.entries = whole(v) }
	case "syncd_backlog_objects":
		return func(f *figure, _ map[string]string, v float64) { f.backlogObjects = whole(v) }
	case "syncd_backlog_bytes":
		return func(f *figure, _ map[string]string, v float64) { f.backlogLen = whole(v) }
	case "syncd_quarantine_objects":
		return func(f *figure, l map[string]string, v float64) { f.quarantine[l["reason"]] = int64(v) }
	default:
		return boundReader(name)
	}
}

// boundReader is the reader of what bounds a mapping.
func boundReader(name string) func(f *figure, labels map[string]string, value float64) {
	switch name {
	case "syncd_lease_held":
		return func(f *figure, _ map[string]string, v float64) { f.leaseHeld = v == 1 }
	case "syncd_lease_expiry_timestamp_seconds":
		return func(f *figure, _ map[string]string, v float64) { f.leaseExpiry = moment(v) }
	case "syncd_credential_expiry_timestamp_seconds":
		return func(f *figure, l map[string]string, v float64) { f.credentials[l["side"]] = moment(v) }
	case "syncd_clock_skew_seconds":
		return func(f *figure, _ map[string]string, v float64) { f.clockSkew = &v }
	case "syncd_concurrency_limit":
		return func(f *figure, _ map[string]string, v float64) { f.concurrency = whole(v) }
	case "syncd_rate_limit_requests_per_second":
		return func(f *figure, l map[string]string, v float64) { f.rates[l["side"]] = v }
	case "syncd_throttles_total":
		return func(f *figure, _ map[string]string, v float64) { f.throttles += int64(v) }
	default:
		return nil
	}
}

// whole returns a number of things.
func whole(v float64) *int64 {
	n := int64(v)
	return &n
}

// knownQuarantine returns the objects in quarantine by reason, nil before the ledger was read.
func (f *figure) knownQuarantine() map[string]int64 {
	if f.generation == nil && len(f.quarantine) == 0 {
		return nil
	}
	return filled(f.quarantine)
}

// moment returns the time of a Unix time in seconds, in UTC, to the millisecond; the zero time for 0.
func moment(seconds float64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(seconds * 1000)).UTC()
}
