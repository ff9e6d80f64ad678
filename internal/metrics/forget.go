package metrics

import "github.com/prometheus/client_golang/prometheus"

// Forget takes out every series of a mapping that is no longer kept, so that no alert waits for it,
// but for those of what the board knows: they end when the board forgets the mapping. The first
// label of every metric of mappings is the mapping.
func (m *Metrics) Forget(mapping string) {
	by := prometheus.Labels{"mapping": mapping}
	for _, vec := range m.vectors() {
		vec.DeletePartialMatch(by)
	}
}

// vector is a metric with labels.
type vector interface {
	DeletePartialMatch(labels prometheus.Labels) int
}

func (m *Metrics) vectors() []vector {
	return []vector{
		m.Objects, m.CopiedBytes, m.Actions, m.Quarantined, m.Requests, m.RequestDuration, m.Passes, m.PassDuration,
		m.CopiesInFlight, m.CopyDuration, m.StoreWrites, m.UnconditionalWrites, m.ShortenedRetentions, m.Cost, m.NextPass, m.Paused, m.FailingSince, m.PassWaiting,
	}
}
