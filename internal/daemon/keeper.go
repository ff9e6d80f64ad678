package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/syncer"
)

const (
	// standBy is how often a process asks for a lease that another one holds. A pass is due the moment it gets it: two tasks
	// are alive at once in every rolling deployment, and the one that stays should not wait for its next tick.
	// Asking S3 is a GET each time, which makes 0.15 cents an hour and mapping.
	standBy = time.Second
	// lookAgain is how often a keeper that waits looks at the clock: timers do not see that it was set, or that the machine slept.
	lookAgain = time.Minute
)

// keeper keeps one mapping under one configuration.
type keeper struct {
	d    *Daemon
	m    Mapping
	log  *slog.Logger
	done chan struct{} // closed when it has ended
	// retired is closed when no further pass is to begin; stopNow drains the one under way too.
	retired    chan struct{}
	retireOnce sync.Once
	stopNow    context.CancelFunc

	mu     sync.Mutex
	former *keeper // of the same mapping, which has to end first; nil when it has
	runner Runner  // nil until it is opened
	condition
}

// condition is how a mapping is.
type condition struct {
	// begun says that it waits or works; running that a pass is asked for or under way, since began.
	begun, running bool
	began          time.Time
	// standing says that another process holds the lease, as held tells.
	standing bool
	held     *checkpoint.LeaseHeldError
	stopping bool
	since    time.Time // the last change of what is above
	next     time.Time // when the next pass is due
	last     *LastPass
	failure  *Failure // of the last pass, nil when it did not fail
	// asked says that a pass has ended or the lease was asked for; leased that the last one had it.
	asked, leased bool
	trail         trail
	pulse         pulse
}

func newKeeper(d *Daemon, m Mapping, former *keeper, stop context.CancelFunc) *keeper {
	return &keeper{
		d: d, m: m, log: d.o.Logger.With("mapping", m.Name), former: former, stopNow: stop,
		done: make(chan struct{}), retired: make(chan struct{}), condition: condition{since: d.o.Now()},
	}
}

// retire has no further pass begin.
func (k *keeper) retire() { k.retireOnce.Do(func() { close(k.retired) }) }

// stop drains, and the former keeper with it.
func (k *keeper) stop() {
	k.mu.Lock()
	k.stopping = true
	former := k.former
	k.mu.Unlock()
	if former != nil {
		former.stop()
	}
	k.stopNow()
}

// keep runs the passes of the mapping until ctx ends or it is retired.
func (k *keeper) keep(ctx context.Context) error {
	k.succeed()
	tick := k.d.o.Now().UTC() // a cron expression means UTC unless it names a zone
	if !k.m.AtOnce {
		tick = k.m.Schedule.Next(tick)
	}
	due := tick.Add(k.jitter())
	for k.until(ctx, due) {
		err := k.pass(ctx)
		now := k.d.o.Now().UTC()
		if k.stands(err) {
			tick = now.Add(standBy)
			due = tick
			continue
		}
		tick = k.m.Schedule.Next(tick)
		if due = tick.Add(k.jitter()); tick.Before(now) {
			tick, due = now, now // ticks that passed meanwhile are due now, and once however many there were
		}
	}
	err := k.close()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.begun, k.since = false, k.d.o.Now()
	return err
}

// succeed waits for the former keeper to end.
func (k *keeper) succeed() {
	if former := k.former; former != nil {
		<-former.done
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.former, k.begun, k.since = nil, true, k.d.o.Now()
}

// jitter returns a random time below the mapping's.
func (k *keeper) jitter() time.Duration {
	if k.m.Jitter <= 0 {
		return 0
	}
	return time.Duration(k.d.o.Rand(int64(k.m.Jitter)))
}

// until reports whether the clock reached due before ctx ended or the keeper was retired.
func (k *keeper) until(ctx context.Context, due time.Time) bool {
	k.mu.Lock()
	k.next = due
	k.mu.Unlock()
	k.d.o.Metrics.NextPass.WithLabelValues(k.m.Name).Set(float64(due.UnixMilli()) / 1000)
	for {
		left := due.Sub(k.d.o.Now())
		timer := time.NewTimer(min(max(left, 0), lookAgain))
		select {
		case <-ctx.Done():
		case <-k.retired:
		case <-timer.C:
		}
		timer.Stop()
		switch {
		case ctx.Err() != nil || isClosed(k.retired):
			return false
		case left <= lookAgain:
			return true
		}
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// pass runs one pass and takes note of what became of it.
func (k *keeper) pass(ctx context.Context) error {
	k.mu.Lock()
	now := k.d.o.Now()
	k.running, k.began = true, now
	if !k.standing {
		k.since = now
	}
	k.trail.begin(now)
	k.pulse.beat(now)
	k.mu.Unlock()
	summary, err := k.guarded(ctx)
	k.note(summary, err)
	return err
}

// guarded runs one pass. A panic in it is a failure of this mapping alone: what it held in memory is given up, so that the
// next pass reads it anew.
func (k *keeper) guarded(ctx context.Context) (summary syncer.Summary, err error) {
	defer func() {
		if value := recover(); value != nil {
			panicked := &syncer.PanicError{Value: value, Stack: debug.Stack()}
			k.log.Error("pass panicked", "err", panicked, "stack", string(panicked.Stack))
			k.d.o.Metrics.Passes.WithLabelValues(k.m.Name, "failed").Inc()
			err = errors.Join(panicked, k.close())
		}
	}()
	runner, err := k.open(ctx)
	if err != nil {
		return summary, err
	}
	return runner.Run(ctx)
}

func (k *keeper) open(ctx context.Context) (Runner, error) {
	if k.runner != nil {
		return k.runner, nil
	}
	runner, err := k.m.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("open mapping: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.runner = runner
	return runner, nil
}

func (k *keeper) close() error {
	if k.runner == nil {
		return nil
	}
	return k.runner.Close()
}

// note takes note of what became of a pass, and logs how it failed; it is tried again at the next tick whatever it was.
func (k *keeper) note(summary syncer.Summary, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.d.o.Now()
	k.running, k.asked = false, true
	if held, ok := errors.AsType[*checkpoint.LeaseHeldError](err); ok {
		if !k.standing {
			k.since = now
			k.log.Warn("lease held by another process, standing by", "holder", held.Holder)
		}
		k.standing, k.held, k.failure = true, held, nil
		return
	}
	k.standing, k.held, k.since = false, nil, now
	k.leased = summary.Pass > 0
	k.last = lastPass(summary, err, now)
	if err == nil || errors.Is(err, syncer.ErrDrained) {
		k.failure = nil
		return
	}
	class := awserr.Classify(err)
	k.log.Error("pass failed", "class", class, "err", err)
	k.failure = k.failed(err, now)
}

// failed describes a failure, which goes on with an earlier one.
func (k *keeper) failed(err error, now time.Time) *Failure {
	f := &Failure{
		Class: string(awserr.Classify(err)), Text: k.d.redact.text(err.Error()), Hint: k.d.redact.text(k.d.o.Hint(err)), At: now.UTC(), Since: now.UTC(), Passes: 1,
	}
	if before := k.failure; before != nil {
		f.Since, f.Passes = before.Since, before.Passes+1
	}
	return f
}

// stands reports whether the error is that another process holds the lease.
func (k *keeper) stands(err error) bool {
	_, ok := errors.AsType[*checkpoint.LeaseHeldError](err)
	return ok
}
