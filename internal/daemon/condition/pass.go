package condition

import (
	"context"
	"errors"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/store"
	"syncd/internal/daemon/status"
	"syncd/internal/syncer"
)

const (
	// backOff is how long a mapping waits after a pass that failed for what only people can mend,
	// doubled with each further one up to maxBackOff. Alerts count denials within half an hour.
	backOff    = 30 * time.Second
	maxBackOff = 5 * time.Minute
)

// Queue takes note that a pass is due.
func (c *Condition) Queue() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queued = true
	if !c.standing {
		c.since = c.o.Now()
	}
}

// Join takes note that the mapping waits for nothing but a place.
func (c *Condition) Join() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.joined = c.o.Now()
	c.o.Metrics.PassWaiting.WithLabelValues(c.o.Mapping).Set(1)
}

// Leave takes note that no pass is due any more, or that it begins.
func (c *Condition) Leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queued, c.joined = false, time.Time{}
	c.o.Metrics.PassWaiting.WithLabelValues(c.o.Mapping).Set(0)
}

// Begin takes note that a pass begins, which halt tells to end.
func (c *Condition) Begin(halt context.CancelCauseFunc) {
	c.Leave()
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.o.Now()
	c.running, c.began, c.halt = true, now, halt
	if !c.standing {
		c.since = now
	}
	c.trail.begin(now)
	c.pulse.beat(now)
}

// Idle takes note that nothing was begun.
func (c *Condition) Idle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running, c.halt, c.queued, c.standing, c.held, c.since = false, nil, false, false, nil, c.o.Now()
}

// NoteReplay takes note of what became of a replay. How the passes of the mapping fare is not for a
// replay to say.
func (c *Condition) NoteReplay(summary syncer.Summary, err error) {
	c.Idle()
	c.mu.Lock()
	defer c.mu.Unlock()
	if summary.Pass > 0 {
		c.leased, c.last = true, lastPass(summary, err, c.o.Now())
	}
}

// Note takes note of what became of a pass, and logs how it failed; it is tried again at the next
// tick whatever it was.
func (c *Condition) Note(summary syncer.Summary, err error, r Runner) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.o.Now()
	c.running, c.halt, c.queued, c.asked, c.backOff = false, nil, false, true, 0
	if held, ok := errors.AsType[*store.LeaseHeldError](err); ok {
		if !c.standing {
			c.since = now
			c.o.Logger.Warn("lease held by another process, standing by", "holder", held.Holder)
		}
		c.standing, c.held, c.decided = true, held, time.Time{}
		c.fail(nil)
		return
	}
	c.standing, c.held, c.since = false, nil, now
	c.leased = summary.Pass > 0
	c.last = lastPass(summary, err, now)
	if errors.Is(err, syncer.ErrDrained) { // it did not reach its end: what failed before may fail again
		return
	}
	if c.decided = now; err == nil {
		c.fail(nil)
		return
	}
	class := awserr.Classify(err)
	c.o.Logger.Error("pass failed", "class", class, "err", err)
	c.fail(c.failed(err, now, r))
	if awserr.Fatal(err) {
		c.backOff = min(backOff<<min(c.failure.Passes-1, 10), maxBackOff)
	}
}

func lastPass(s syncer.Summary, err error, now time.Time) *status.LastPass {
	return &status.LastPass{
		EndedAt: now.UTC(), Result: syncer.OutcomeOf(s, err).Result, Pass: s.Pass, Listed: s.Listed, Copied: s.Copied, CopiedBytes: s.CopiedBytes,
		Unchanged: s.Unchanged, Quarantined: s.SetAside(), Seconds: s.Seconds,
	}
}
