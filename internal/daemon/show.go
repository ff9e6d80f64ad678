package daemon

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"syncd/internal/daemon/status"
	"syncd/internal/figure"
)

// Snapshot returns the current status, which is at most a second old.
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
	s := &status.Snapshot{
		At: now.UTC(), StartedAt: d.started.UTC(), Version: d.o.Version, Draining: d.fleet.isDraining(), ClockSkewSeconds: d.board.ClockSkew(),
		Counts: map[status.State]int{}, Mappings: []status.Mapping{},
	}
	s.Passes.Limit, s.Passes.Running, s.Passes.Waiting = d.line.Counts()
	for _, k := range d.fleet.kept() {
		m := d.statusOf(k, now)
		s.Mappings = append(s.Mappings, m)
		s.Counts[m.State]++
	}
	number(s.Mappings)
	return s
}

// number sets the positions of the waiting mappings, in the order in which they joined the line.
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

// statusOf returns the status of a mapping.
func (d *Daemon) statusOf(k *keeper, now time.Time) status.Mapping {
	m := status.Mapping{Mapping: k.m.Name, Source: status.SideOf(k.m.Source), Destination: status.SideOf(k.m.Destination), Method: k.m.Method}
	if k.m.Schedule != nil {
		m.Schedule = k.m.Schedule.String()
	}
	f := k.figure.Read()
	describe(f, &m)
	k.condition.Describe(&m, now, factsOf(f, d.fleet.isDraining()), k.runner)
	return m
}

// describe adds the data of a figure to the status of its mapping.
func describe(f figure.Figure, m *status.Mapping) {
	m.OldestUnsyncedSeconds, m.LastSuccess, m.LastListing = f.OldestUnsynced, known(f.LastSuccess), known(f.LastListing)
	m.Generation, m.Entries, m.BacklogObjects, m.BacklogBytes = f.Generation, f.Entries, f.BacklogObjects, f.BacklogBytes
	if m.Ranges = f.Ranges; f.Ranges > 0 {
		m.OldestRange = status.RangeOf(f.OldestRange.Seconds, f.OldestRange.After)
	}
	if f.Generation != nil || len(f.Quarantine) > 0 { // before the ledger is read, the quarantine is unknown
		m.Quarantine = f.Quarantine
	}
	m.Lease.Held, m.Lease.ExpiresAt = f.LeaseHeld, known(f.LeaseExpiry)
	m.Credentials, m.Concurrency, m.RateLimits, m.Throttled = f.Credentials, f.Concurrency, f.Rates, f.Throttled()
}

// known returns a pointer to t, or nil if t is zero.
func known(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Readiness reports whether the process can work. It ignores a mapping that fails because of its
// own roles, buckets or ledger, because neither a restart nor another process would help.
func (d *Daemon) Readiness() status.Readiness {
	answer := status.Readiness{Mappings: []status.MappingReadiness{}}
	draining := d.fleet.isDraining()
	for _, k := range d.fleet.kept() {
		answer.Mappings = append(answer.Mappings, k.condition.Readiness(k.figure.HoldsLease(), draining))
	}
	answer.WhyNot = d.whyNot(len(answer.Mappings))
	answer.Ready = answer.WhyNot == ""
	return answer
}

// whyNot returns why the process cannot work, or "" if it can.
func (d *Daemon) whyNot(mappings int) string {
	switch {
	case d.fleet.isDraining():
		return "draining"
	case mappings == 0:
		return "no mapping has started yet"
	default:
		return d.redact(d.reach.whyNot())
	}
}

// Health returns an error if a stalled pass was ended and is still running. Only a restart of the
// process ends such a pass, although the restart interrupts the passes of all other mappings.
func (d *Daemon) Health() error {
	var stalled []string
	for _, k := range d.fleet.kept() {
		if k.condition.IsStuck() {
			stalled = append(stalled, k.m.Name)
		}
	}
	if len(stalled) > 0 {
		return fmt.Errorf("no progress for %s: %s", d.watchdog, strings.Join(stalled, ", "))
	}
	return nil
}
