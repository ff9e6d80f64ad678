package condition

import (
	"errors"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/history"
	"syncd/internal/daemon/status"
	"syncd/internal/syncer/denial"
)

// Start takes note that the mapping begins, and takes over how passes fared under its former
// configuration, nil for none: another configuration does not show that it is better.
func (c *Condition) Start(former *Condition) {
	var then known
	if former != nil {
		former.mu.Lock()
		then = former.known
		former.mu.Unlock()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun, c.since = true, c.o.Now()
	c.last, c.decided, c.facts, c.judged = then.last, then.decided, then.facts, then.judged
	c.fail(then.failure)
	c.isRecalled = then.failure != nil
}

// Adopt takes from the history how passes fare, where one ended later than those that this process
// has seen: in a process before it, or in a command. A failure lasts over a restart, and ends by a
// pass elsewhere that reaches its end.
func (c *Condition) Adopt(passes []history.Pass) {
	last, since, times := history.Failures(passes)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !last.EndedAt.After(c.decided) {
		return
	}
	if c.decided = last.EndedAt; times == 0 {
		c.fail(nil)
		return
	}
	failure := errors.New(last.Error)
	if last.Result == history.ResultDenied {
		failure = &denial.Error{Since: since, Err: failure}
	}
	c.fail(&status.Failure{
		Class: last.Class, Text: c.o.Redact(last.Error), Hint: c.o.Redact(c.o.Hint(failure)),
		At: last.EndedAt.UTC(), Since: since.UTC(), Passes: int(times),
	})
	c.isRecalled = true
}

// failed describes a failure, which goes on with an earlier one. The caller holds c.mu.
func (c *Condition) failed(err error, now time.Time, r Runner) *status.Failure {
	f := &status.Failure{
		Class: string(awserr.Classify(err)), Text: c.o.Redact(err.Error()), Hint: c.o.Redact(c.o.Hint(err)), At: now.UTC(), Since: now.UTC(), Passes: 1,
	}
	if before := c.failure; before != nil {
		f.Since, f.Passes = before.Since, before.Passes+1
	}
	// The ledger has since when everything is refused, the history since when passes fail, also
	// from before this process.
	if refused, ok := errors.AsType[*denial.Error](err); ok {
		f.Since = earlier(f.Since, refused.Since)
	}
	if c.leased {
		_, since, _ := history.Failures(r.History())
		f.Since = earlier(f.Since, since)
	}
	return f
}

// earlier returns the earlier of two times, of which the second may be zero for none.
func earlier(a, b time.Time) time.Time {
	if b.IsZero() || a.Before(b) {
		return a
	}
	return b.UTC()
}

// fail takes note of how passes fail, nil when the last one that reached an end did not. The caller
// holds c.mu.
func (c *Condition) fail(f *status.Failure) {
	c.failure, c.isRecalled = f, false
	if f == nil {
		c.o.Metrics.FailingSince.DeleteLabelValues(c.o.Mapping)
		return
	}
	c.o.Metrics.FailingSince.WithLabelValues(c.o.Mapping).Set(float64(f.Since.UnixMilli()) / 1000)
}
