package daemon_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/daemon"
	"syncd/internal/daemon/status"
	"syncd/internal/figure"
)

// shownFigure describes where a field of a Figure is displayed: in a series of the metrics, and at
// a path in the JSON form of the status.
type shownFigure struct {
	set    func(m *figure.Mapping)
	series string
	metric float64
	path   string
	json   any
}

// shownFigures returns the places of each field.
func shownFigures() map[string]shownFigure {
	const m = `{mapping="m"}`
	at := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	when, text := float64(at.Unix()), at.Format(time.RFC3339)
	return map[string]shownFigure{
		"OldestUnsynced": {func(m *figure.Mapping) { m.AskOldest(func() (float64, bool) { return 90.5, true }) }, "oldest_unsynced_seconds" + m, 90.5, "oldest_unsynced_seconds", 90.5},
		"LastSuccess":    {func(m *figure.Mapping) { m.SetLastSuccess(at) }, "last_success_timestamp_seconds" + m, when, "last_success", text},
		"LastListing":    {func(m *figure.Mapping) { m.SetLastListing(at) }, "last_complete_listing_timestamp_seconds" + m, when, "last_listing", text},
		"Generation":     {func(m *figure.Mapping) { m.SetLedger(7, 8) }, "ledger_generation" + m, 7, "generation", 7.0},
		"Entries":        {func(m *figure.Mapping) { m.SetLedger(7, 8) }, "ledger_entries" + m, 8, "entries", 8.0},
		"BacklogObjects": {func(m *figure.Mapping) { m.SetBacklog(3, 30) }, "backlog_objects" + m, 3, "backlog_objects", 3.0},
		"BacklogBytes":   {func(m *figure.Mapping) { m.SetBacklog(3, 30) }, "backlog_bytes" + m, 30, "backlog_bytes", 30.0},
		"Ranges": {
			func(m *figure.Mapping) { m.AskRanges(func() (int64, figure.Range) { return 16, figure.Range{} }) },
			"ranges" + m, 16, "ranges", 16.0,
		},
		"OldestRange": {
			func(m *figure.Mapping) {
				m.AskRanges(func() (int64, figure.Range) { return 1, figure.Range{Seconds: 60.5} })
			},
			"oldest_range_seconds" + m, 60.5, "oldest_range.seconds", 60.5,
		},
		"Quarantine": {
			func(m *figure.Mapping) { m.SetQuarantine(map[string]int64{"denied": 2}) },
			`quarantine_objects{mapping="m",reason="denied"}`, 2, "quarantine.denied", 2.0,
		},
		"LeaseHeld":   {func(m *figure.Mapping) { m.SetLeaseHeld(true) }, "lease_held" + m, 1, "lease.held", true},
		"LeaseExpiry": {func(m *figure.Mapping) { m.SetLeaseExpiry(at) }, "lease_expiry_timestamp_seconds" + m, when, "lease.expires_at", text},
		"Credentials": {
			func(m *figure.Mapping) { m.AskCredentials("source", func() (time.Time, bool) { return at, true }) },
			`credential_expiry_timestamp_seconds{mapping="m",side="source"}`, when, "credentials.source", text,
		},
		"Concurrency": {func(m *figure.Mapping) { m.AskConcurrency(func() int64 { return 64 }) }, "concurrency_limit" + m, 64, "concurrency", 64.0},
		"Rates": {
			func(m *figure.Mapping) { m.AskRate("kms", func() (float64, bool) { return 3500.5, true }) },
			`rate_limit_requests_per_second{mapping="m",side="kms"}`, 3500.5, "rate_limits.kms", 3500.5,
		},
		"Throttles": {func(m *figure.Mapping) { m.AskThrottles("kms", func() int64 { return 12 }) }, `throttles_total{mapping="m",side="kms"}`, 12, "throttled", 12.0},
	}
}

// TestMetricsAndStatusShowTheSame sets each field of a Figure, and checks that its metric and the
// status change alike. It fails for a field that has no row here, or that is displayed in only one
// place.
func TestMetricsAndStatusShowTheSame(t *testing.T) {
	rows := shownFigures()
	for field := range reflect.TypeFor[figure.Figure]().Fields() {
		row, ok := rows[field.Name]
		if !ok {
			t.Errorf("got no row for %s, want a row with the places where it is displayed", field.Name)
			continue
		}
		t.Run(field.Name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				m := mapping("m", &passes{took: s})
				m.AtOnce, m.Schedule = false, every(time.Hour)
				o := options(m)
				d, stop := start(t, o)
				time.Sleep(s)
				look := func() (metric, json any, held reflect.Value) {
					time.Sleep(2 * s)
					if v, ok := seriesOf(t, o.Gatherer)["syncd_"+row.series]; ok {
						metric = v
					}
					return metric, at(t, d.Snapshot(), row.path), reflect.ValueOf(o.Board.Of("m").Read()).FieldByName(field.Name)
				}
				metric, json, value := look()
				if metric == row.metric || json == row.json || !isUnknown(value) {
					t.Fatalf("got %v in the metrics, %v in the status and %v on the board before the field is set, want no value", metric, json, value)
				}
				row.set(o.Board.Of("m"))
				metric, json, value = look()
				if metric != row.metric || json != row.json || isUnknown(value) {
					t.Errorf("got %v in the metrics, %v in the status and %v on the board, want %v and %v", metric, json, value, row.metric, row.json)
				}
				stop()
			})
		})
	}
}

// isUnknown reports whether a field has no known value.
func isUnknown(v reflect.Value) bool { return v.IsZero() || v.Kind() == reflect.Map && v.Len() == 0 }

// at returns the value at a path in the status of the only mapping, or nil.
func at(t *testing.T, snapshot any, path string) any {
	t.Helper()
	data, err := json.Marshal(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	var whole struct{ Mappings []map[string]any }
	if err := json.Unmarshal(data, &whole); err != nil || len(whole.Mappings) != 1 {
		t.Fatalf("got %d mappings, %v, want one", len(whole.Mappings), err)
	}
	var found any = whole.Mappings[0]
	for name := range strings.SplitSeq(path, ".") {
		object, _ := found.(map[string]any)
		found = object[name]
	}
	return found
}

// seriesOf returns all series of counters and gauges, with their labels.
func seriesOf(t *testing.T, g prometheus.Gatherer) map[string]float64 {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			all[family.GetName()+"{"+strings.Join(labels, ",")+"}"] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return all
}

// TestTheStatusGathersNothing checks that creating the status does not collect the metrics.
func TestTheStatusGathersNothing(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		o := options(mapping("m", &passes{took: s}))
		gathered := 0
		o.Gatherer = prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { gathered++; return nil, nil })
		listed(o, "m")
		d, stop := start(t, o)
		time.Sleep(time.Minute)
		if got := statusOf(t, d); got.LastListing == nil || gathered != 0 {
			t.Errorf("got a listing at %v, and the metrics collected %d times, want the known time and 0", got.LastListing, gathered)
		}
		stop()
	})
}

// TestFiguresLastUntilTheRemoval checks that the data about a mapping survives a change of its
// configuration, and disappears when the mapping is removed.
func TestFiguresLastUntilTheRemoval(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		c := startChanging(t, mapping("gone", &passes{took: s}), mapping("kept", &passes{took: s}))
		for _, row := range shownFigures() {
			row.set(c.o.Board.Of("gone"))
		}
		ofGone := func() (all []string) {
			for series := range seriesOf(t, c.o.Gatherer) {
				if strings.Contains(series, `mapping="gone"`) {
					all = append(all, series)
				}
			}
			return all
		}
		time.Sleep(s)
		before := len(ofGone())
		if want := reflect.TypeFor[figure.Figure]().NumField(); before < want {
			t.Errorf("got %d series, want at least %d", before, want)
		}
		c.apply(revised(mapping("gone", &passes{took: s}), 1), mapping("kept", &passes{took: s}))
		time.Sleep(5 * s)
		if got := ofGone(); len(got) != before {
			t.Errorf("got %d series after a change, want all %d: %q", len(got), before, got)
		}
		c.apply(mapping("kept", &passes{took: s}))
		time.Sleep(5 * s)
		c.o.Board.Of("kept").SetLeaseHeld(true)
		if diff := cmp.Diff([]string(nil), ofGone()); diff != "" {
			t.Errorf("series of a removed mapping (-want +got):\n%s", diff)
		}
		if seriesOf(t, c.o.Gatherer)[`syncd_lease_held{mapping="kept"}`] != 1 {
			t.Error("got no series of the mapping that stays")
		}
		c.stop()
	})
}

// TestALeaseThatWasNeverAskedForIsNotHeld checks that a mapping that cannot be opened has the lease
// series with the value 0: the alert for a ledger without a writer needs it.
func TestALeaseThatWasNeverAskedForIsNotHeld(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		m := mapping("m", nil)
		m.Open = func(context.Context) (daemon.Runner, error) { return nil, errors.New("no such role") }
		o := options(m)
		_, stop := start(t, o)
		time.Sleep(s)
		if got, ok := seriesOf(t, o.Gatherer)[`syncd_lease_held{mapping="m"}`]; !ok || got != 0 {
			t.Errorf("got lease_held %v, shown %v, want 0", got, ok)
		}
		stop()
	})
}

// TestReadinessOfARemovedMapping checks that the probe and the status agree about a removed mapping
// that drains its first pass while holding the lease.
func TestReadinessOfARemovedMapping(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		c := startChanging(t, mapping("gone", &passes{took: time.Hour, drains: 3 * s}), mapping("kept", &passes{took: s}))
		c.o.Board.Of("gone").SetLeaseHeld(true)
		time.Sleep(s)
		c.apply(mapping("kept", &passes{took: s}))
		_, answer := readiness(t, c.Daemon)
		for _, m := range c.Snapshot().Mappings {
			i := slices.IndexFunc(answer.Mappings, func(r status.MappingReadiness) bool { return r.Mapping == m.Mapping })
			if i < 0 || answer.Mappings[i].Ready != m.Ready || answer.Mappings[i].State != m.State {
				t.Errorf("got %+v of /readyz, want %s as in the status, ready %v", answer.Mappings, m.State, m.Ready)
			}
		}
		c.stop()
	})
}
