package daemon

import (
	"fmt"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"

	"syncd/internal/daemon/figure"
	"syncd/internal/daemon/status"
)

// Snapshot returns how everything is now, or was up to a second ago.
func (d *Daemon) Snapshot() *status.Snapshot {
	now := d.now()
	if s := d.shown.since(now); s != nil {
		return s
	}
	s := d.snapshot(now)
	d.shown.set(s, now)
	return s
}

func (d *Daemon) snapshot(now time.Time) *status.Snapshot {
	known := figure.Read(d.o.Gatherer, d.log)
	s := &status.Snapshot{
		At: now.UTC(), StartedAt: d.started.UTC(), Version: d.o.Version, Draining: d.fleet.isDraining(), ClockSkewSeconds: known.Of("").ClockSkew,
		Counts: map[status.State]int{}, Mappings: []status.Mapping{},
	}
	s.Passes.Limit, s.Passes.Running, s.Passes.Waiting = d.line.Counts()
	for _, k := range d.fleet.kept() {
		m := d.statusOf(k, now, known.Of(k.m.Name))
		s.Mappings = append(s.Mappings, m)
		s.Counts[m.State]++
	}
	number(s.Mappings)
	return s
}

// number gives those that wait in line their positions: they stand in the order they came.
func number(mappings []status.Mapping) {
	var line []*status.Line
	for _, m := range mappings {
		if m.Line != nil {
			line = append(line, m.Line)
		}
	}
	slices.SortStableFunc(line, func(a, b *status.Line) int { return a.Since.Compare(b.Since) })
	for i, l := range line {
		l.Position = i + 1
	}
}

// statusOf puts together what is known of a mapping.
func (d *Daemon) statusOf(k *keeper, now time.Time, f *figure.Figure) status.Mapping {
	m := status.Mapping{Mapping: k.m.Name, Source: status.SideOf(k.m.Source), Destination: status.SideOf(k.m.Destination), Method: k.m.Method}
	if k.m.Schedule != nil {
		m.Schedule = k.m.Schedule.String()
	}
	f.Describe(&m)
	k.condition.Describe(&m, now, factsOf(f, d.fleet.isDraining()), k.runner)
	return m
}

// Readiness returns whether the process can work. A mapping that fails on account of its own roles,
// buckets or ledger says nothing about that: neither a restart nor another process would do better.
func (d *Daemon) Readiness() status.Readiness {
	answer := status.Readiness{Mappings: []status.MappingReadiness{}}
	held := d.leases()
	draining := d.fleet.isDraining()
	for _, k := range d.fleet.kept() {
		answer.Mappings = append(answer.Mappings, k.condition.Readiness(held[k.m.Name], draining))
	}
	answer.WhyNot = d.whyNot(len(answer.Mappings))
	answer.Ready = answer.WhyNot == ""
	return answer
}

// leases tells of the mappings in force which have their lease here. It does not gather the metrics
// for it, as a snapshot does: that takes a fleet longer than a probe waits.
func (d *Daemon) leases() map[string]bool {
	f := d.fleet
	f.mu.Lock() // under which removed mappings are forgotten: asking for their series would bring it back
	defer f.mu.Unlock()
	held := map[string]bool{}
	for _, name := range f.order {
		var m dto.Metric
		held[name] = d.metrics.LeaseHeld.WithLabelValues(name).Write(&m) == nil && m.GetGauge().GetValue() == 1
	}
	return held
}

// whyNot tells why the process cannot work, "" when it can.
func (d *Daemon) whyNot(mappings int) string {
	switch {
	case d.fleet.isDraining():
		return "draining"
	case mappings == 0:
		return "no mapping is kept yet"
	default:
		return d.redact(d.reach.whyNot())
	}
}

// Health fails when a pass that showed no sign of life was told to end and does not: starting the
// process again is all that helps, though it interrupts the passes of all other mappings.
func (d *Daemon) Health() error {
	var stalled []string
	for _, k := range d.fleet.kept() {
		if k.condition.IsStuck() {
			stalled = append(stalled, k.m.Name)
		}
	}
	if len(stalled) > 0 {
		return fmt.Errorf("no sign of life for %s: %s", d.watchdog, strings.Join(stalled, ", "))
	}
	return nil
}
