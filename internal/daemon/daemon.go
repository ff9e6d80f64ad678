// Package daemon keeps mappings on their schedules for as long as the process lives, and shows how they are.
//
// It promises that each mapping runs one pass at a time and on its own: a mapping that fails, panics, is slow or waits for
// a lease never holds up another. A tick that comes while a pass is under way runs once, right after it. Mappings come,
// go and change while it runs: those that stay the same notice nothing, a changed one ends its pass first, a removed one
// drains. When the context ends every pass drains, the leases are given back and the HTTP server closes last, so that the
// drain can be watched.
//
// What it shows comes from one [Snapshot], which is made of what the keepers of mappings know and of what the metrics
// say: the pages and the metrics never disagree. No page holds a secret.
//
// It leaves to the syncer what a pass is, and to its caller what a configuration is and when it has changed.
//
// The words: a tick is a time at which a schedule asks for a pass, which is due a random time later where the mapping has
// jitter; a keeper keeps one mapping under one configuration; to drain is to take no new work, finish what is in hand and
// save; a sign of life is anything that a pass under way does not do without getting on.
package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/control"
	"syncd/internal/metrics"
	"syncd/internal/syncer"
)

// Schedule says when passes are due.
type Schedule interface {
	// Next returns the first tick after t.
	Next(t time.Time) time.Time
	// String is the schedule for people.
	String() string
}

// Runner runs the passes of a mapping, as a *syncer.Syncer does.
type Runner interface {
	// Ready gets what a pass needs and takes no work to get, such as credentials. It is called before each Run, when the mapping
	// has no place among the passes that run: it may take long. A *store.LeaseHeldError says that it is not worth a Run yet.
	Ready(ctx context.Context) error
	// Run runs a pass. When ctx ends it drains.
	Run(ctx context.Context) (syncer.Summary, error)
	// Progress tells where the pass under way stands.
	Progress() (progress syncer.Progress, ok bool)
	// Close gives the lease back. A Run after it begins anew.
	Close() error
}

// Mapping is one mapping on its schedule.
type Mapping struct {
	// Name is the mapping's name.
	Name string
	// Source and Destination are where the objects are and where they are copied to, and Method how: server_side or relay. They are shown.
	Source, Destination Side
	Method              string
	// Schedule says when passes are due; nil for a mapping whose passes run only when somebody asks for them.
	Schedule Schedule
	// Jitter delays each tick's pass by a random time below it.
	Jitter time.Duration
	// AtOnce asks for the first pass when the mapping starts instead of at its first tick. Of many that start together each
	// waits a little, and not beyond its first tick.
	AtOnce bool
	// Revision tells one configuration of the mapping from another.
	Revision int
	// Open returns what runs the passes under this configuration. It is called before the first pass, when an earlier
	// configuration of the mapping has ended; where it fails, again at the next tick.
	Open func(ctx context.Context) (Runner, error)
}

// Options are the settings of a daemon. All fields are required unless they say otherwise.
type Options struct {
	// Mappings are kept on their schedules.
	Mappings []Mapping
	// Watch calls apply with all mappings each time that they have changed, and returns when ctx ends; nil for mappings that
	// never change.
	Watch func(ctx context.Context, apply func([]Mapping))
	// Listener is served until the last pass has drained.
	Listener net.Listener
	// Gatherer has the metrics of the house.
	Gatherer prometheus.Gatherer
	// Places bounds the passes that run at once; nil means that there is no bound.
	Places *Places
	// CheckState returns why the state cannot be reached, which is looked at now and then; nil never looks.
	CheckState func(ctx context.Context) error
	// Control is where requests are, which are looked for with the look at the state in the place of CheckState; nil takes none.
	Control *control.Desk
	// ControlListener is the socket that takes requests on this machine; nil for none.
	ControlListener net.Listener
	// Holder names this process to those who send requests.
	Holder string
	// Metrics counts what happens to mappings here, and forgets those that are removed.
	Metrics *metrics.Metrics
	// WebConfig is the path of a web configuration, as Server has it.
	WebConfig string
	// Hosts are the names under which /status and the profiles are served.
	Hosts Hosts
	// Pprof serves the profiles of the Go runtime.
	Pprof bool
	// Watchdog is how long a pass may be under way without a sign of life before it is told to end.
	Watchdog time.Duration
	// DrainTimeout is how long a pass may take to end then.
	DrainTimeout time.Duration
	// Hint says what to do about an error, "" for nothing; nil never does.
	Hint func(error) string
	// Secrets returns texts that are taken out of whatever is shown; nil for none. What looks like a credential of AWS is
	// taken out in any case.
	Secrets func() []string
	// Version says which program this is.
	Version string
	// Logger gets what happens to the daemon and to mappings as a whole.
	Logger *slog.Logger
	// Now is the clock.
	Now func() time.Time
	// Rand returns a random number in [0, n). It is called by several goroutines.
	Rand func(n int64) int64
}

// Daemon keeps mappings and shows them. It is made by New and runs once.
type Daemon struct {
	o       Options
	started time.Time
	redact  *redactor
	state   reach
	// requests is what is known of those.
	requests requests
	work     sync.WaitGroup // the keepers
	recalls  chan struct{}  // holds an element for each reading of a ledger

	mu       sync.Mutex
	order    []string           // of the mappings in force
	keepers  map[string]*keeper // of the mappings in force
	leaving  map[string]*keeper // of removed mappings that still drain
	draining bool
	failures []error
	shown    remembered
}

// New returns a daemon that keeps nothing until Run.
func New(o Options) *Daemon {
	if o.Hint == nil {
		o.Hint = func(error) string { return "" }
	}
	if o.Places == nil {
		o.Places = NewPlaces(0, o.Metrics)
	}
	return &Daemon{
		o: o, started: o.Now(), redact: newRedactor(o.Secrets),
		keepers: map[string]*keeper{}, leaving: map[string]*keeper{}, requests: newRequests(), recalls: make(chan struct{}, recallsAtOnce),
	}
}

// Run keeps every mapping on its schedule until ctx ends, then drains. The error is that of a drain that lost something,
// or of the HTTP server.
func (d *Daemon) Run(ctx context.Context) error {
	serving, failed := context.WithCancelCause(ctx)
	defer failed(nil)
	closeServer := Server{Handler: d.Handler(), WebConfig: d.o.WebConfig, Logger: d.o.Logger, Failed: failed}.Serve(ctx, d.o.Listener)
	d.o.Logger.Info("daemon started", "mappings", len(d.o.Mappings), "passes", d.o.Places.limit.Load(), "address", d.o.Listener.Addr().String())

	closeSocket := d.serveControl(ctx)
	var watching sync.WaitGroup
	stopSampling := make(chan struct{})
	watching.Go(func() { d.sample(stopSampling) })
	watching.Go(func() { d.watchState(serving) })
	d.follow(serving)
	d.drain()
	socketErr := closeSocket()

	close(stopSampling)
	watching.Wait()
	err := errors.Join(errors.Join(d.failures...), closeServer(), socketErr, serverFailure(serving))
	d.o.Logger.Info("daemon stopped")
	return err
}

// follow applies the mappings, and each change of them until ctx ends.
func (d *Daemon) follow(ctx context.Context) {
	d.apply(ctx, d.o.Mappings)
	if d.o.Watch == nil {
		<-ctx.Done()
		return
	}
	var watching sync.WaitGroup
	defer watching.Wait()
	watching.Go(func() {
		d.o.Watch(ctx, func(mappings []Mapping) { d.apply(ctx, mappings) })
	})
	<-ctx.Done()
}

// apply puts these mappings in force. The caller does it one at a time, and not after ctx has ended.
func (d *Daemon) apply(ctx context.Context, mappings []Mapping) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	former := d.keepers
	together := starting(former, mappings)
	d.keepers, d.order = map[string]*keeper{}, nil
	for _, m := range mappings {
		d.order = append(d.order, m.Name)
		k := former[m.Name]
		delete(former, m.Name)
		if k == nil || k.m.Revision != m.Revision {
			k = d.start(ctx, m, k, startDelay(m.Name, together))
		}
		d.keepers[m.Name] = k
	}
	for name, k := range former {
		d.o.Logger.Info("mapping removed", "mapping", name)
		k.stop()
		d.leaving[name] = k
	}
}

// starting counts the mappings that start when these are put in force.
func starting(former map[string]*keeper, mappings []Mapping) (n int) {
	for _, m := range mappings {
		if k := former[m.Name]; m.AtOnce && (k == nil || k.m.Revision != m.Revision) {
			n++
		}
	}
	return n
}

// start begins to keep a mapping, once its former keeper has ended. The caller holds d.mu.
func (d *Daemon) start(ctx context.Context, m Mapping, former *keeper, delay time.Duration) *keeper {
	if former != nil {
		d.o.Logger.Info("mapping changed", "mapping", m.Name)
		former.retire()
	} else {
		former = d.leaving[m.Name]
		delete(d.leaving, m.Name)
	}
	ctx, stop := context.WithCancel(ctx)
	waiting, retire := context.WithCancel(ctx)
	k := newKeeper(d, m, former)
	k.startDelay, k.retire, k.stopNow = delay, retire, stop
	d.work.Go(func() {
		defer stop()
		err := k.keep(ctx, waiting)
		d.ended(k, err)
	})
	return k
}

// ended takes note that a keeper has.
func (d *Daemon) ended(k *keeper, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err == nil:
	case d.draining:
		d.failures = append(d.failures, err)
	default:
		k.log.Error("mapping was not closed", "err", err)
	}
	if d.leaving[k.m.Name] == k {
		delete(d.leaving, k.m.Name)
		d.o.Metrics.Forget(k.m.Name)
	}
	close(k.done)
}

// drain waits for the keepers, whose context has ended.
func (d *Daemon) drain() {
	d.mu.Lock()
	d.draining = true
	d.mu.Unlock()
	d.work.Wait()
}
