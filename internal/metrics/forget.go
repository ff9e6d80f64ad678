package metrics

import "github.com/prometheus/client_golang/prometheus"

// Forget deletes every series of a removed mapping, so that alerts on it end. The series read from
// the board end when the board forgets the mapping. In every metric of a mapping, the first label
// is the mapping.
func (m *Metrics) Forget(mapping string) {
	by := prometheus.Labels{"mapping": mapping}
	for _, vec := range m.ofMappings() {
		vec.DeletePartialMatch(by)
	}
}

// vector is a metric with labels.
type vector interface {
	prometheus.Collector
	DeletePartialMatch(labels prometheus.Labels) int
}

// ofMappings returns the metrics that have a series for each mapping.
func (m *Metrics) ofMappings() []vector {
	return []vector{
		m.Objects, m.CopiedBytes, m.Actions, m.Quarantined, m.Requests, m.RequestDuration, m.Passes, m.PassDuration,
		m.CopiesInFlight, m.CopyDuration, m.StoreWrites, m.UnconditionalWrites, m.ShortenedRetentions, m.Deletes, m.DeletesWithheld, m.Differences, m.LastVerified, m.Cost, m.NextPass, m.Paused, m.FailingSince, m.PassWaiting,
	}
}
