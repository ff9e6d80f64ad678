package condition

import (
	"slices"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/history"
	"syncd/internal/daemon/status"
)

const (
	// shownPasses is how many passes of its history are shown of each mapping.
	shownPasses = 10
	// drainMargin is how long a pass may take to end beyond what a drain may take.
	drainMargin = time.Minute
)

// Describe enters how the mapping is at that time into its status, by what its figure says now.
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

// Readiness returns whether the mapping is ready, and its state by what its figure said last.
func (c *Condition) Readiness(leaseHeld, draining bool) status.MappingReadiness {
	now := c.o.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.facts
	f.LeaseHeld, f.Draining = leaseHeld, draining
	why := c.whyNot(leaseHeld)
	return status.MappingReadiness{Mapping: c.o.Mapping, Ready: why == "", WhyNot: why, State: c.judge(now, f).state}
}

// IsStuck reports whether the pass in progress has shown no sign of life for so long that it should
// have ended for it.
func (c *Condition) IsStuck() bool {
	now := c.o.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.running && now.Sub(c.pulse.last) >= c.o.Watchdog+c.o.DrainTimeout+drainMargin
}

// Judge looks at how the mapping is, by what its figure says, and whether its pass has shown signs
// of life: their number grows with each.
func (c *Condition) Judge(f Facts, signs int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.o.Now()
	c.judge(now, f)
	if c.running {
		c.pulse.see(now, signs)
	}
}

// Look looks where the pass in progress stands, and tells one to end that shows no sign of life.
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
		c.o.Logger.Error("pass showed no sign of life, ending it", "duration", c.o.Watchdog)
		c.halt(ErrStalled)
		c.halt = nil
	}
}

// whyNot tells why the mapping is not ready, "" when it is. One that waits for its first tick has
// no lease to ask for yet. The caller holds c.mu.
func (c *Condition) whyNot(leaseHeld bool) string {
	f := c.failure
	if c.isRecalled { // another process had no credentials or lease, perhaps
		f = nil
	}
	switch {
	case c.paused != nil:
		return ""
	case f != nil && (f.Class == string(awserr.Credentials) || f.Class == string(awserr.Expired)):
		return "no usable credentials: " + f.Text
	case f != nil && !c.leased:
		return "lease was not got: " + f.Text
	case leaseHeld || c.standing || c.leased:
		return ""
	case c.o.AtOnce && !c.asked:
		return "lease was not asked for yet"
	default:
		return ""
	}
}

// progress tells where the pass in progress stands; nil before there is anything to tell. The
// caller holds c.mu.
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

// shown returns the passes that are shown, newest first.
func (c *Condition) shown(passes []history.Pass) []history.Pass {
	passes = slices.Clone(passes[max(len(passes)-shownPasses, 0):])
	slices.Reverse(passes)
	for i := range passes {
		passes[i].Error = c.o.Redact(passes[i].Error)
	}
	return passes
}

// pause returns who has paused the mapping, nil for nobody. The caller holds c.mu.
func (c *Condition) pause() *status.Pause {
	if c.paused == nil {
		return nil
	}
	return &status.Pause{At: c.paused.At.UTC(), Who: c.paused.Who}
}
