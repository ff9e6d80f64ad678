package condition

import (
	"errors"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/record"
	"syncd/internal/daemon/status"
	"syncd/internal/syncer/denial"
)

// Start records that the mapping starts. It keeps the failure of the former condition, which may be
// nil, because a new configuration does not prove that the failure is gone.
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

// Adopt updates the failure from the history if the history has a pass that ended later than all
// passes that this process knows, for example in an earlier process or in a command. So the mapping
// is still failing after a restart, and stops failing when a pass of another process reaches its
// end.
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

// failed describes a failure. If the previous pass also failed, the failure keeps the start of the
// series. The caller holds c.mu.
func (c *Condition) failed(err error, now time.Time, r Runner) *status.Failure {
	f := &status.Failure{
		Class: string(awserr.Classify(err)), Text: c.o.Redact(err.Error()), Hint: c.o.Redact(c.o.Hint(err)), At: now.UTC(), Since: now.UTC(), Passes: 1,
	}
	if before := c.failure; before != nil {
		f.Since, f.Passes = before.Since, before.Passes+1
	}
	// The ledger records since when everything has been refused, and the history since when passes
	// have failed, including passes of earlier processes.
	if refused, ok := errors.AsType[*denial.Error](err); ok {
		f.Since = record.Earlier(f.Since, refused.Since).UTC()
	}
	if c.leased {
		_, since, _ := history.Failures(r.History())
		f.Since = record.Earlier(f.Since, since).UTC()
	}
	return f
}

// fail sets the failure of the mapping; nil means that the mapping is not failing. The caller holds
// c.mu.
func (c *Condition) fail(f *status.Failure) {
	c.failure, c.isRecalled = f, false
	if f == nil {
		c.o.Metrics.FailingSince.DeleteLabelValues(c.o.Mapping)
		return
	}
	c.o.Metrics.FailingSince.WithLabelValues(c.o.Mapping).Set(float64(f.Since.UnixMilli()) / 1000)
}
