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
	// backOff is how long a mapping waits after a pass that failed for a reason that only an
	// operator can fix. It doubles with each further failure up to maxBackOff. The alerts count
	// denials within half an hour, so the wait must be much shorter.
	backOff    = 30 * time.Second
	maxBackOff = 5 * time.Minute
)

// Queue records that a pass is due.
func (c *Condition) Queue() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queued = true
	if !c.standing {
		c.since = c.o.Now()
	}
}

// Join records that the mapping waits in line for a place.
func (c *Condition) Join() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.joined = c.o.Now()
	c.o.Metrics.PassWaiting.WithLabelValues(c.o.Mapping).Set(1)
}

// Leave records that the mapping has left the line: no pass is due, or the pass begins.
func (c *Condition) Leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queued, c.joined = false, time.Time{}
	c.o.Metrics.PassWaiting.WithLabelValues(c.o.Mapping).Set(0)
}

// Begin records that a pass begins. Calling halt must end the pass.
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

// Idle records that no pass is running or due.
func (c *Condition) Idle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running, c.halt, c.queued, c.standing, c.held, c.since = false, nil, false, false, nil, c.o.Now()
}

// NoteReplay records the result of a replay. A replay does not change whether the mapping is
// failing.
func (c *Condition) NoteReplay(summary syncer.Summary, err error) {
	c.Idle()
	c.mu.Lock()
	defer c.mu.Unlock()
	if summary.Pass > 0 {
		c.leased, c.last = true, lastPass(summary, err, c.o.Now())
	}
}

// Note records the result of a pass, and logs a failure. The next tick starts another pass
// regardless of the result.
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
	if errors.Is(err, syncer.ErrDrained) { // the pass did not reach its end, so an earlier failure may persist
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
		Deleted: s.Deleted, Withheld: s.Withheld, Refused: s.Refused(),
	}
}
