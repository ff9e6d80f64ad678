// Package daemon keeps mappings on their schedules for as long as the process lives.
//
// It promises that each mapping runs one pass at a time and on its own: a mapping that fails, is slow or waits for a lease
// never holds up another. A tick that comes while a pass is under way runs once, right after it. When the context ends
// every pass drains, the leases are given back and the HTTP server closes last, so that the drain can be watched.
//
// It leaves to the syncer what a pass is.
//
// Two words: a tick is a time at which a schedule asks for a pass; to drain is to take no new work, finish what is in hand
// and save.
package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/syncer"
)

// standBy is how often a process asks for a lease that another one holds. A pass is due the moment it gets it: two tasks
// are alive at once in every rolling deployment, and the one that stays should not wait for its next tick.
const standBy = 2 * time.Second

// Schedule says when passes are due.
type Schedule interface {
	// Next returns the first tick after t.
	Next(t time.Time) time.Time
}

// Runner runs the passes of a mapping.
type Runner interface {
	Run(ctx context.Context) (syncer.Summary, error)
	Close() error
}

// Mapping is one mapping on its schedule.
type Mapping struct {
	// Name is the mapping's name.
	Name string
	// Schedule says when passes are due.
	Schedule Schedule
	// AtOnce asks for the first pass when the daemon starts instead of at the first tick.
	AtOnce bool
	// Runner runs the passes.
	Runner Runner
}

// Options are the settings of a daemon. All fields are required.
type Options struct {
	// Mappings are kept on their schedules.
	Mappings []Mapping
	// Listener is served with Handler until the last pass has drained.
	Listener net.Listener
	Handler  http.Handler
	// Logger gets what happens to the daemon and to mappings as a whole.
	Logger *slog.Logger
	// Now is the clock.
	Now func() time.Time
}

// Run keeps every mapping on its schedule until ctx ends, then drains. The error is that of a drain that lost something,
// or of the HTTP server.
func Run(ctx context.Context, o Options) error {
	serving, failed := context.WithCancelCause(ctx)
	defer failed(nil)
	closeServer := Serve(ctx, o.Listener, o.Handler, failed)
	o.Logger.Info("daemon started", "mappings", len(o.Mappings), "address", o.Listener.Addr().String())
	var mappings errgroup.Group
	for _, m := range o.Mappings {
		mappings.Go(func() error { return keep(serving, o, m) })
	}
	err := mappings.Wait()
	err = errors.Join(err, closeServer(), serverFailure(serving))
	o.Logger.Info("daemon stopped")
	return err
}

// keep runs the passes of one mapping until ctx ends.
func keep(ctx context.Context, o Options, m Mapping) error {
	log := o.Logger.With("mapping", m.Name)
	tick := o.Now().UTC() // a cron expression means UTC unless it names a zone
	if !m.AtOnce {
		tick = m.Schedule.Next(tick)
	}
	standing := false
	for wait(ctx, tick.Sub(o.Now())) {
		_, err := m.Runner.Run(ctx)
		now := o.Now().UTC()
		if held, ok := errors.AsType[*checkpoint.LeaseHeldError](err); ok {
			if !standing {
				log.Warn("lease held by another process, standing by", "holder", held.Holder)
			}
			standing, tick = true, now.Add(standBy)
			continue
		}
		standing = false
		report(log, err)
		// A tick that passed meanwhile is due now, and only once however many there were.
		if tick = m.Schedule.Next(tick); tick.Before(now) {
			tick = now
		}
	}
	return m.Runner.Close()
}

// wait reports whether d passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	if ctx.Err() != nil {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// report logs how a pass failed; the mapping is tried again at its next tick whatever it was.
func report(log *slog.Logger, err error) {
	if err != nil && !errors.Is(err, syncer.ErrDrained) {
		log.Error("pass failed", "class", awserr.Classify(err), "err", err)
	}
}
