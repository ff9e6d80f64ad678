package condition

import (
	"slices"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/history"
	"syncd/internal/daemon/status"
)

const (
	// shownPasses is how many passes of a mapping's history are displayed.
	shownPasses = 10
	// drainMargin is how much longer than DrainTimeout a stalled pass may take to end. A pass that
	// takes still longer is stuck.
	drainMargin = time.Minute
)

// Describe adds the condition at the given time to the status of the mapping. f are the current
// facts.
func (c *Condition) Describe(m *status.Mapping, now time.Time, f Facts, r Runner) {
	c.mu.Lock()
	defer c.mu.Unlock()
	j := c.judge(now, f)
	m.State, m.Since, m.Activity, m.ActivitySince = j.state, j.since.UTC(), j.activity, j.active.UTC()
	m.WhyNot = c.whyNot(f.LeaseHeld)
	m.Ready = m.WhyNot == ""
	m.LastPass, m.Error = c.last, c.failure
	m.Paused, m.History = c.pause(), c.shown(r.History())
	if c.held != nil && !f.LeaseHeld {
		m.Lease.Holder = c.held.Holder
	}
	if c.begun && !c.running && !c.standing && !c.due.IsZero() {
		due := c.due
		m.NextPass = &due
	}
	if !c.joined.IsZero() {
		m.Line = &status.Line{Since: c.joined.UTC()}
	}
	if m.Activity == status.Running || m.Activity == status.Stalled || m.Activity == status.Draining {
		m.Progress = c.progress(now, r)
	}
}

// Readiness returns the readiness of the mapping, with its state according to the last known facts.
func (c *Condition) Readiness(leaseHeld, draining bool) status.MappingReadiness {
	now := c.o.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.facts
	f.LeaseHeld, f.Draining = leaseHeld, draining
	why := c.whyNot(leaseHeld)
	return status.MappingReadiness{Mapping: c.o.Mapping, Ready: why == "", WhyNot: why, State: c.judge(now, f).state}
}

// IsStuck reports whether the pass in progress has stalled and should have ended long ago.
func (c *Condition) IsStuck() bool {
	now := c.o.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running && now.Sub(c.pulse.last) >= c.o.Watchdog+c.o.DrainTimeout+drainMargin
}

// Judge updates the state of the mapping. The parameter signs is the number of signs of activity
// since the mapping was created. If the number has grown since the last call, the pass is not
// stalled.
func (c *Condition) Judge(f Facts, signs int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.o.Now()
	c.judge(now, f)
	if c.running {
		c.pulse.see(now, signs)
	}
}

// Look samples the progress of the current pass, and ends the pass if it has stalled.
func (c *Condition) Look(r Runner) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running {
		return
	}
	now := c.o.Now()
	if p, ok := r.Progress(); ok {
		c.trail.add(now, p)
	}
	if c.halt != nil && now.Sub(c.pulse.last) >= c.o.Watchdog {
		c.o.Logger.Error("pass ended because it made no progress", "duration", c.o.Watchdog)
		c.halt(ErrStalled)
		c.halt = nil
	}
}

// whyNot returns why the mapping is not ready, or "" if it is. A mapping that waits for its first
// tick does not need the lease yet. The caller holds c.mu.
func (c *Condition) whyNot(leaseHeld bool) string {
	f := c.failure
	if c.isRecalled { // the failure may be of another process, and not concern this one
		f = nil
	}
	switch {
	case c.paused != nil:
		return ""
	case f != nil && (f.Class == string(awserr.Credentials) || f.Class == string(awserr.Expired)):
		return "no usable credentials: " + f.Text
	case f != nil && !c.leased:
		return "could not acquire the lease: " + f.Text
	case leaseHeld || c.standing || c.leased:
		return ""
	case c.o.AtOnce && !c.asked:
		return "the lease was not requested yet"
	default:
		return ""
	}
}

// progress returns the progress of the current pass, or nil if there is none. The caller holds
// c.mu.
func (c *Condition) progress(now time.Time, r Runner) *status.Progress {
	p, ok := r.Progress()
	if !ok {
		return nil
	}
	shown := &status.Progress{
		StartedAt: c.began.UTC(), Listed: p.Listed, ListedAll: p.Complete, Expected: p.Expected, Settled: p.Settled,
		Copied: p.Copied, CopiedBytes: p.CopiedBytes, Quarantined: p.SetAside,
	}
	shown.ObjectsPerSecond, shown.BytesPerSecond = c.trail.rates(now, p)
	if left := p.Expected - p.Settled; shown.ObjectsPerSecond > 0 && (p.Complete || p.Expected > p.Listed) {
		eta := float64(left) / shown.ObjectsPerSecond
		shown.ETASeconds = &eta
	}
	return shown
}

// shown returns the passes to display, newest first.
func (c *Condition) shown(passes []history.Pass) []history.Pass {
	passes = slices.Clone(passes[max(len(passes)-shownPasses, 0):])
	slices.Reverse(passes)
	for i := range passes {
		passes[i].Error = c.o.Redact(passes[i].Error)
	}
	return passes
}

// pause returns who paused the mapping and when, or nil if it is not paused. The caller holds c.mu.
func (c *Condition) pause() *status.Pause {
	if c.paused == nil {
		return nil
	}
	return &status.Pause{At: c.paused.At.UTC(), Who: c.paused.Who}
}
