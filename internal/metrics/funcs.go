package metrics

import (
	"maps"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Funcs is a metric whose values are asked for when it is scraped: an age grows while nobody writes
// it down.
type Funcs struct {
	desc *prometheus.Desc
	kind prometheus.ValueType

	mu     sync.Mutex
	series map[string]series // by their labels
}

type series struct {
	labels []string
	value  func() (value float64, ok bool)
}

var _ prometheus.Collector = (*Funcs)(nil)

func funcs(kind prometheus.ValueType, name, help string, labels ...string) *Funcs {
	return &Funcs{
		desc: prometheus.NewDesc(prometheus.BuildFQName("syncd", "", name), help, labels, nil),
		kind: kind, series: map[string]series{},
	}
}

// Set has value asked for the series with these labels, in place of an earlier func. A value that
// is not ok is not shown.
func (f *Funcs) Set(value func() (value float64, ok bool), labels ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.series[strings.Join(labels, "\xff")] = series{labels, value}
}

// Delete takes out every series whose first label has this value.
func (f *Funcs) Delete(first string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.series, func(_ string, s series) bool { return len(s.labels) > 0 && s.labels[0] == first })
}

// Describe tells the metric's name, help and labels.
func (f *Funcs) Describe(to chan<- *prometheus.Desc) { to <- f.desc }

// Collect asks for every value.
func (f *Funcs) Collect(to chan<- prometheus.Metric) {
	f.mu.Lock()
	asked := make([]series, 0, len(f.series))
	for _, s := range f.series {
		asked = append(asked, s)
	}
	f.mu.Unlock() // a func may take locks of its own
	for _, s := range asked {
		if value, ok := s.value(); ok {
			to <- prometheus.MustNewConstMetric(f.desc, f.kind, value, s.labels...) //nolint:promlinter // its name is checked where the desc is made
		}
	}
}
