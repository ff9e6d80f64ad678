// Package condition tracks the condition of a mapping: its state, its activity and the results of
// its passes.
//
// All data of a condition changes at once, so that the status page, a probe and the log never show
// half of a change. The metrics that only the daemon sets (next pass, waiting, paused, failing
// since) always agree with it.
//
// The daemon runs the passes and reports their results. Package figure stores the other data about
// the mapping.
//
// The terms: a condition belongs to one mapping under one configuration; a mapping stands by while
// another process holds its lease; a mapping is failing if the last pass that completed or failed,
// in any process, has failed.
package condition

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"syncd/internal/checkpoint/history"
	"syncd/internal/checkpoint/store"
	"syncd/internal/control"
	"syncd/internal/daemon/status"
	"syncd/internal/metrics"
	"syncd/internal/syncer"
)

// The causes for ending a pass of a mapping that stays in the configuration.
var (
	// ErrPaused means that a pass ended, or did not begin, because the mapping is paused.
	ErrPaused = errors.New("the mapping is paused")
	// ErrStalled means that a pass ended because it made no progress.
	ErrStalled = errors.New("no progress")
)

// Options are the settings of a Condition. All fields are required.
type Options struct {
	// Mapping is the mapping's name.
	Mapping string
	// IsScheduled reports whether the mapping has a schedule. AtOnce reports whether the first pass
	// is due when the mapping starts.
	IsScheduled, AtOnce bool
	// TakesRequests reports whether the mapping can be paused.
	TakesRequests bool
	// Watchdog is how long a pass may run without progress, and DrainTimeout how long it may then
	// take to end.
	Watchdog, DrainTimeout time.Duration
	// Hint returns what to do about an error, and Redact removes secrets from a text.
	Hint   func(error) string
	Redact func(string) string
	// Wake is called when the mapping may have something to do. It must not block.
	Wake func()
	// Metrics contains the metrics that only the daemon sets.
	Metrics *metrics.Metrics
	// Logger logs changes of the condition.
	Logger *slog.Logger
	// Now is the clock.
	Now func() time.Time
}

// Condition is the condition of one mapping. Create a Condition with New.
type Condition struct {
	o Options

	mu sync.Mutex
	known
}

// known is the data of a Condition.
type known struct {
	// begun means that the mapping has started and not ended. running means that a pass is in
	// progress or about to begin; began is since when.
	begun, running bool
	began          time.Time
	// halt ends the current pass. It is nil if no pass is running, or if the pass was already ended
	// as stalled.
	halt context.CancelCauseFunc
	// queued means that a pass is due but not running yet. joined is when the mapping joined the
	// line, or zero if it is not in line.
	queued bool
	joined time.Time
	// standing means that another process holds the lease; held has the details.
	standing bool
	held     *store.LeaseHeldError
	// paused records who paused the mapping and when; it is nil if the mapping is not paused. mode
	// is the ID of the request that last paused or resumed it.
	paused   *control.Paused
	mode     string
	stopping bool
	since    time.Time // when a field above last changed
	due      time.Time // when the next pass is due; zero if none is
	last     *status.LastPass
	failure  *status.Failure // the error of the last pass; nil if that pass did not fail
	backOff  time.Duration   // wait after the last failure, 0 for none
	// decided is the end of the pass that decided whether the mapping is failing. isRecalled means
	// that failure was read from the history and did not occur in this process.
	decided    time.Time
	isRecalled bool
	// asked means that a pass has ended or the lease was requested in this process. leased means
	// that the last pass had the lease.
	asked, leased bool
	// facts are the last known facts from the figure. judged is the last state, and when the
	// mapping entered it.
	facts  Facts
	judged struct {
		state status.State
		since time.Time
	}
	trail trail
	pulse pulse
}

// Runner reports on the passes of a mapping.
type Runner interface {
	// Progress returns the progress of the current pass.
	Progress() (progress syncer.Progress, ok bool)
	// History returns the most recent passes, oldest first, as far as they are known.
	History() []history.Pass
}

// New returns the condition of a mapping that has not started. If the mapping was paused under its
// former condition, which may be nil, it stays paused.
func New(o Options, former *Condition) *Condition {
	c := &Condition{o: o, known: known{since: o.Now()}}
	if former != nil {
		former.mu.Lock()
		defer former.mu.Unlock()
		c.paused, c.mode = former.paused, former.mode
	}
	if o.TakesRequests && c.paused == nil {
		o.Metrics.Paused.WithLabelValues(o.Mapping).Set(0)
	}
	return c
}

// Stop records that the mapping must end.
func (c *Condition) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopping = true
}

// End records that the mapping has ended.
func (c *Condition) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun, c.since = false, c.o.Now()
}

// BackOff returns how long to wait after the last pass: 0 unless it failed.
func (c *Condition) BackOff() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.backOff
}

// Announce records when the next pass is due. The zero time means never.
func (c *Condition) Announce(due time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.due = due
	if due.IsZero() {
		c.o.Metrics.NextPass.DeleteLabelValues(c.o.Mapping)
		return
	}
	c.o.Metrics.NextPass.WithLabelValues(c.o.Mapping).Set(float64(due.UnixMilli()) / 1000)
}

// StandsBy reports whether another process held the lease when this process last requested the
// lease.
func (c *Condition) StandsBy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.standing
}

// Rest records that the mapping no longer stands by, because no pass is due.
func (c *Condition) Rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.standing {
		c.standing, c.held, c.since = false, nil, c.o.Now()
	}
}

// Trigger returns the reason for a pass that was not requested.
func (c *Condition) Trigger() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.o.AtOnce && !c.asked {
		return syncer.TriggerStart
	}
	return syncer.TriggerSchedule
}

// HasAsked reports whether a pass has ended or the lease was requested.
func (c *Condition) HasAsked() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

// Decided returns the end of the pass that decided whether the mapping is failing.
func (c *Condition) Decided() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.decided
}

// Facts contains data that the state of a mapping depends on but that its Condition does not store.
type Facts struct {
	// LeaseHeld reports whether this process holds the lease.
	LeaseHeld bool
	// Listed reports whether the whole source was ever listed.
	Listed bool
	// Aside reports whether objects are in quarantine.
	Aside bool
	// Draining reports whether the process is draining.
	Draining bool
}
