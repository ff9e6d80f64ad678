package condition

import (
	"time"

	"syncd/internal/daemon/status"
)

// judgement is the state and the activity of a mapping, and since when each has lasted, as far as
// this process has seen.
type judgement struct {
	state, activity status.State
	since, active   time.Time
}

// judge returns the state and the activity of the mapping. The caller holds c.mu.
func (c *Condition) judge(now time.Time, f Facts) judgement {
	c.facts = f
	activity := c.activity(now, f)
	j := judgement{state: c.state(activity, f), activity: activity, since: c.since, active: c.since}
	if j.state != c.judged.state {
		c.judged.state, c.judged.since = j.state, now
	}
	switch {
	case j.state == status.Failing:
		j.since = c.failure.Since
	case j.state != activity:
		j.since = c.judged.since
	}
	return j
}

// state returns the first state that applies. The caller holds c.mu.
func (c *Condition) state(activity status.State, f Facts) status.State {
	switch {
	case activity == status.Idle:
		return activity
	case c.failure != nil:
		return status.Failing
	case activity == status.Stalled:
		return status.Stalled
	case f.Aside:
		return status.Quarantined
	case activity == status.Paused, activity == status.Draining, activity == status.StandingBy, activity == status.Unscheduled:
		return activity
	case !f.Listed:
		return status.Unknown
	default:
		return activity
	}
}

// activity returns what the mapping is doing. A mapping that was standing by and has acquired the
// lease is running its pass. The caller holds c.mu.
func (c *Condition) activity(now time.Time, f Facts) status.State {
	working := c.running && (!c.standing || f.LeaseHeld)
	switch {
	case working && now.Sub(c.pulse.last) >= c.o.Watchdog:
		return status.Stalled
	case working && (f.Draining || c.stopping || c.paused != nil):
		return status.Draining
	case working:
		return status.Running
	case !c.begun:
		return status.Idle
	case c.paused != nil:
		return status.Paused
	case c.standing:
		return status.StandingBy
	case c.queued:
		return status.Queued
	case !c.o.IsScheduled:
		return status.Unscheduled
	default:
		return status.Waiting
	}
}
