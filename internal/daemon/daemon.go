// Package daemon runs the passes of mappings on their schedules and serves their status.
//
// Each mapping runs one pass at a time, independently of other mappings: a mapping that fails,
// panics, is slow or waits for a lease never delays another mapping. If ticks pass during a pass,
// one more pass runs right after it. Mappings can be added, changed and removed while the daemon
// runs. Unchanged mappings are not affected, a changed mapping finishes its pass first, and a
// removed mapping drains. When the context ends, every pass drains, the leases are released and the
// HTTP server closes last, so that users can watch the drain.
//
// Its parts are packages that do not depend on it: appointment (when a pass is due), line (which
// mapping may run a pass), order (requests from users), condition (the state of a mapping), status
// (what is displayed), web (the HTTP server) and service (work with a life cycle). Everything
// displayed comes from one [status.Snapshot], which contains no secrets. The data about a mapping
// that is not part of its condition comes from its [figure.Mapping].
//
// The syncer defines what a pass does. The caller reads the configuration and reports its changes.
//
// Two terms: a keeper is the service that runs one mapping under one configuration; to drain means
// to take no new work, finish the work in progress and save.
package daemon

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"syncd/internal/control"
	"syncd/internal/daemon/line"
	"syncd/internal/daemon/order"
	"syncd/internal/daemon/service"
	"syncd/internal/daemon/web"
	"syncd/internal/deadline"
)

// Daemon runs mappings and serves their status. Create a Daemon with New, and call Run once.
type Daemon struct {
	*shared
	o       Options
	started time.Time
	fleet   *fleet
	reach   *reach
	shown   lastShown
}

// New returns a daemon that runs no mappings until Run.
func New(o Options) *Daemon {
	if o.Hint == nil {
		o.Hint = func(error) string { return "" }
	}
	if o.Line == nil {
		o.Line = line.New(0, o.Metrics)
	}
	s := &shared{
		line: o.Line, desk: o.Control, holder: o.Holder, metrics: o.Metrics, board: o.Board, readings: make(chan struct{}, recallsAtOnce), watchdog: o.Watchdog, drainTimeout: o.DrainTimeout,
		hint: o.Hint, redact: newRedactor(o.Secrets).text, log: o.Logger, now: o.Now, rand: o.Rand,
	}
	d := &Daemon{shared: s, o: o, started: o.Now(), fleet: newFleet(s)}
	if o.Control != nil {
		s.inbox = order.NewInbox(order.InboxOptions{Desk: o.Control, Holder: o.Holder, Queues: d.queues, LookTimeout: stateTimeout, Redact: s.redact, Logger: o.Logger})
	}
	d.reach = reachOf(o.CheckState, s.inbox)
	return d
}

// reachOf returns the regular check that the state can be reached. If the daemon accepts requests,
// its regular search for requests serves as the check.
func reachOf(check func(ctx context.Context) error, inbox *order.Inbox) *reach {
	switch {
	case inbox != nil:
		return &reach{look: inbox.Look, every: inbox.Every, poked: inbox.Poked()}
	case check != nil:
		return &reach{
			look:  func(ctx context.Context) error { return deadline.Do(ctx, stateTimeout, check) },
			every: func() time.Duration { return stateEvery },
		}
	default:
		return &reach{}
	}
}

// queues returns the request queues of the mappings that are running, by name.
func (d *Daemon) queues() map[string]*order.Queue {
	queues := map[string]*order.Queue{}
	for _, k := range d.fleet.kept() {
		queues[k.m.Name] = k.queue
	}
	return queues
}

// Handler serves /metrics, /healthz, /readyz and /status, and /debug/pprof/ if it is enabled.
func (d *Daemon) Handler() http.Handler {
	return web.Handler(web.Options{Gatherer: d.o.Gatherer, Source: d, Hosts: d.o.Hosts, Pprof: d.o.Pprof, Logger: d.log})
}

// Run runs every mapping on its schedule until ctx ends, then drains. It returns an error if a
// drain could not save or the HTTP server failed.
func (d *Daemon) Run(ctx context.Context) error {
	serving, failed := context.WithCancelCause(ctx)
	defer failed(nil)
	closeServer := web.Server{Handler: d.Handler(), WebConfig: d.o.WebConfig, Logger: d.log, Failed: failed}.Serve(ctx, d.o.Listener)
	limit, _, _ := d.line.Counts()
	d.log.Info("daemon started", "mappings", len(d.o.Mappings), "passes", limit, "address", d.o.Listener.Addr().String())

	closeSocket := d.serveControl(ctx)
	sampling, reaching := service.Of(sampler{d.fleet}.work), service.Of(d.reach.work)
	var watching sync.WaitGroup
	watching.Go(func() { _ = sampling.Run(context.WithoutCancel(ctx)) }) // sampling continues while passes drain
	watching.Go(func() { _ = reaching.Run(serving) })
	d.follow(serving)
	failures := d.fleet.drain()
	socketErr := closeSocket()

	sampling.Stop()
	watching.Wait()
	err := errors.Join(errors.Join(failures...), closeServer(), socketErr, web.Failure(serving))
	d.log.Info("daemon stopped")
	return err
}

// follow applies the configured mappings, and then every change to them until ctx ends.
func (d *Daemon) follow(ctx context.Context) {
	d.fleet.apply(ctx, d.o.Mappings)
	if d.o.Watch == nil {
		<-ctx.Done()
		return
	}
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() {
		d.o.Watch(ctx, func(mappings []Mapping) { d.fleet.apply(ctx, mappings) })
	})
	<-ctx.Done()
}

// Take accepts a request from the control socket.
func (d *Daemon) Take(ctx context.Context, r control.Request, wait time.Duration) (control.Reply, error) {
	switch {
	case d.inbox == nil:
		return control.Reply{}, errors.New("this daemon does not accept requests")
	case d.fleet.isDraining():
		return control.Reply{}, errors.New("the daemon is stopping")
	case !d.fleet.keeps(r.Mapping):
		return control.Reply{}, &control.NotKeptError{Mapping: r.Mapping}
	}
	return d.inbox.Take(ctx, r, wait)
}

// serveControl serves the control socket until the returned func is called.
func (d *Daemon) serveControl(ctx context.Context) (closeSocket func() error) {
	if d.o.ControlListener == nil {
		return func() error { return nil }
	}
	failed := func(err error) { d.log.Error("control socket failed", "err", err) }
	server := control.NewServer(d.Take, d.log)
	end := make(chan struct{})
	server.Handler = endingWith(end, server.Handler)
	closeServer := web.ServeWith(ctx, server, d.o.ControlListener, failed)
	return func() error {
		close(end)
		return closeServer()
	}
}

// endingWith cancels the contexts of requests when end is closed.
func endingWith(end <-chan struct{}, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		go func() {
			select {
			case <-end:
				cancel()
			case <-ctx.Done():
			}
		}()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
