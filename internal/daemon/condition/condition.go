// Package condition is how a mapping is: what it does, how its passes fare, and since when.
//
// It promises that everything it knows changes together, so that a status, a probe and the log
// never see half of a change, and that the metrics which only the daemon knows (next pass, waiting,
// paused, failing since) say the same.
//
// It leaves to the daemon to run passes and to tell what becomes of them, and to package figure
// what else is known of the mapping.
//
// The words: a condition is that of one mapping under one configuration; a mapping stands by while
// another process holds its lease; a failure is decided by the last pass that reached an end,
// wherever it ran.
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

// Why a pass is told to end while its mapping goes on.
var (
	// ErrPaused is why a pass ends that is halted for a pause, or does not begin.
	ErrPaused = errors.New("the mapping is paused")
	// ErrStalled is why a pass ends that showed no sign of life.
	ErrStalled = errors.New("no sign of life")
)

// Options are what a condition depends on. All fields are required.
type Options struct {
	// Mapping is the mapping's name.
	Mapping string
	// IsScheduled says that passes are due by themselves, AtOnce that the first is when the mapping
	// starts.
	IsScheduled, AtOnce bool
	// TakesRequests says that the mapping can be paused.
	TakesRequests bool
	// Watchdog is how long a pass may run without a sign of life, DrainTimeout how long it may take
	// to end then.
	Watchdog, DrainTimeout time.Duration
	// Hint says what to do about an error, and Redact takes secrets out of a text.
	Hint   func(error) string
	Redact func(string) string
	// Wake is called when what is to be done may have changed. It may not block.
	Wake func()
	// Metrics has what only the daemon knows of a mapping.
	Metrics *metrics.Metrics
	// Logger gets what happens to the mapping.
	Logger *slog.Logger
	// Now is the clock.
	Now func() time.Time
}

// Condition is how one mapping is. It is made by New.
type Condition struct {
	o Options

	mu sync.Mutex
	known
}

// known is what is known of a mapping.
type known struct {
	// begun says that it waits or works; running that a pass is asked for or in progress, since
	// began.
	begun, running bool
	began          time.Time
	// halt tells the pass that runs to end; nil when none does, or when it was told so for want of
	// a sign of life.
	halt context.CancelCauseFunc
	// queued says that a pass is due and does not run yet; joined is since when it waits in line,
	// zero while it does not.
	queued bool
	joined time.Time
	// standing says that another process holds the lease, as held tells.
	standing bool
	held     *store.LeaseHeldError
	// paused says that the mapping is, and who has paused it; nil when it is not. Mode is the
	// request that made it so.
	paused   *control.Paused
	mode     string
	stopping bool
	since    time.Time // the last change of what is above
	due      time.Time // when the next pass is; zero when none is
	last     *status.LastPass
	failure  *status.Failure // of the last pass, nil when it did not fail
	backOff  time.Duration   // that the last failure asks for, 0 for none
	// decided is when the pass ended that failure is of, or that ended the failures; isRecalled
	// says that it is known from the history alone.
	decided    time.Time
	isRecalled bool
	// asked says that a pass has ended or the lease was asked for; leased that the last one had it.
	asked, leased bool
	// facts are those of the last look at the figure, judged the state that was seen last and since
	// when.
	facts  Facts
	judged struct {
		state status.State
		since time.Time
	}
	trail trail
	pulse pulse
}

// Runner is what is known of what runs the passes.
type Runner interface {
	// Progress tells where the pass in progress stands.
	Progress() (progress syncer.Progress, ok bool)
	// History returns the passes that ended last, oldest first, as far as they are known.
	History() []history.Pass
}

// New returns the condition of a mapping that has not begun. It is paused where the former one of
// the same mapping is; that may be nil.
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

// Stop takes note that the mapping is to end.
func (c *Condition) Stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopping = true
}

// End takes note that it has.
func (c *Condition) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun, c.since = false, c.o.Now()
}

// BackOff returns how long to wait after the last pass.
func (c *Condition) BackOff() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.backOff
}

// Announce takes note of when the next pass is due, the zero time for never.
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

// StandsBy reports whether another process held the lease when it was asked for last.
func (c *Condition) StandsBy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.standing
}

// Rest takes note that the mapping stands by no more, since no pass of it is due.
func (c *Condition) Rest() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.standing {
		c.standing, c.held, c.since = false, nil, c.o.Now()
	}
}

// Trigger is why a pass begins for which no request asks.
func (c *Condition) Trigger() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.o.AtOnce && !c.asked {
		return syncer.TriggerStart
	}
	return syncer.TriggerSchedule
}

// HasAsked reports whether a pass has ended, or the lease was asked for.
func (c *Condition) HasAsked() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

// Decided returns when the pass ended that says whether the mapping fails.
func (c *Condition) Decided() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.decided
}

// Facts are what the state of a mapping depends on beyond what its condition knows.
type Facts struct {
	// LeaseHeld says that the lease is held here.
	LeaseHeld bool
	// Listed says that the source was listed to its end once.
	Listed bool
	// Aside says that there are objects in quarantine.
	Aside bool
	// Draining says that the process drains.
	Draining bool
}
