package daemon_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/store"
	"syncd/internal/daemon"
	"syncd/internal/daemon/status"
	"syncd/internal/figure"
	"syncd/internal/metrics"
	"syncd/internal/syncer"
)

const s = time.Second

// passes is a Runner that records when its passes begin. Each pass takes a fixed time.
type passes struct {
	took   time.Duration
	err    error
	panics any
	// drains is how long a pass continues after its context ends.
	drains time.Duration
	// readies is how long Ready takes, and unready the error that it returns.
	readies time.Duration
	unready error
	at      syncer.Progress
	deletes syncer.Summary // deletes of each pass

	mu     sync.Mutex
	began  []time.Duration
	origin time.Time
	closed int
	active bool
}

func (p *passes) Ready(ctx context.Context) error {
	select {
	case <-time.After(p.readies):
	case <-ctx.Done():
		return ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.unready
}

func (p *passes) Run(ctx context.Context) (syncer.Summary, error) {
	p.note(true)
	defer p.note(false)
	select {
	case <-time.After(p.took):
		if p.panics != nil {
			panic(p.panics)
		}
		ended := p.deletes
		ended.Pass = 1
		return ended, p.failure()
	case <-ctx.Done():
		time.Sleep(p.drains)
		return syncer.Summary{Pass: 1}, syncer.ErrDrained
	}
}

func (p *passes) note(active bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.active = active; active {
		p.began = append(p.began, time.Since(p.origin))
	}
}

// starts returns when the passes began.
func (p *passes) starts() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.began)
}

func (p *passes) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// fail makes all further passes end with an error.
func (p *passes) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

func (p *passes) Progress() (syncer.Progress, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at, p.active
}

// settle sets the progress of the current pass.
func (p *passes) settle(at syncer.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = at
}

func (p *passes) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed++
	return nil
}

// every is a schedule of fixed intervals.
type every time.Duration

func (e every) Next(t time.Time) time.Time { return t.Add(time.Duration(e)) }
func (e every) String() string             { return "@every " + time.Duration(e).String() }

// listener accepts no connections until it is closed. Unlike a socket, it can be waited for in a
// bubble.
type listener struct{ closed chan struct{} }

func (l listener) Accept() (net.Conn, error) { <-l.closed; return nil, net.ErrClosed }
func (l listener) Close() error              { close(l.closed); return nil }
func (l listener) Addr() net.Addr            { return &net.TCPAddr{} }

func options(mappings ...daemon.Mapping) daemon.Options {
	registry, board := prometheus.NewRegistry(), figure.NewBoard()
	return daemon.Options{
		Mappings: mappings, Listener: listener{make(chan struct{})}, Gatherer: registry, Metrics: metrics.New(registry, board), Board: board,
		Watchdog: 15 * time.Minute, Logger: slog.New(slog.DiscardHandler), Now: time.Now, Rand: func(int64) int64 { return 0 },
	}
}

// mapping returns a mapping whose runner has a pass every ten seconds.
func mapping(name string, runner daemon.Runner) daemon.Mapping {
	return daemon.Mapping{
		Name: name, Schedule: every(10 * s), AtOnce: true,
		Open: func(context.Context) (daemon.Runner, error) { return runner, nil },
	}
}

// runFor runs a daemon for a fixed time.
func runFor(t *testing.T, d time.Duration, o daemon.Options) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := daemon.New(o).Run(ctx); err != nil {
		t.Fatal(err)
	}
}

// start runs a daemon until stop is called.
func start(t *testing.T, o daemon.Options) (d *daemon.Daemon, stop func()) {
	t.Helper()
	d = daemon.New(o)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	synctest.Wait()
	return d, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the daemon ended with %v", err)
		}
	}
}

func TestRunKeepsTheSchedule(t *testing.T) {
	tests := []struct {
		name   string
		runner *passes
		edit   func(*daemon.Mapping)
		want   []time.Duration
	}{
		{"short passes at every tick", &passes{took: s}, nil, []time.Duration{0, 10 * s, 20 * s, 30 * s}},
		{"the first at the first tick", &passes{took: s}, func(m *daemon.Mapping) { m.AtOnce = false }, []time.Duration{10 * s, 20 * s, 30 * s}},
		{"ticks missed by a long pass run once, right after it", &passes{took: 25 * s}, nil, []time.Duration{0, 25 * s}},
		{"a failed pass is tried again at the next tick", &passes{took: s, err: errors.New("x")}, nil, []time.Duration{0, 10 * s, 20 * s, 30 * s}},
		{"jitter delays each, and ticks stay", &passes{took: s}, func(m *daemon.Mapping) { m.Jitter = 4 * s }, []time.Duration{3 * s, 13 * s, 23 * s, 33 * s}},
		{"a tick that was missed waits for no jitter", &passes{took: 12 * s}, func(m *daemon.Mapping) { m.Jitter = 4 * s }, []time.Duration{3 * s, 15 * s, 27 * s}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				tt.runner.origin = time.Now()
				m := mapping("m", tt.runner)
				if tt.edit != nil {
					tt.edit(&m)
				}
				o := options(m)
				o.Rand = func(n int64) int64 { return n * 3 / 4 }
				runFor(t, 35*s, o)
				if diff := cmp.Diff(tt.want, tt.runner.began); diff != "" {
					t.Errorf("passes began at (-want +got):\n%s", diff)
				}
				if tt.runner.closed == 0 {
					t.Error("the lease was not given back")
				}
			})
		})
	}
}

// TestRunFollowsTheClock checks that setting the clock forward makes the skipped ticks due, at the
// latest at the next check of the clock.
func TestRunFollowsTheClock(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		runner := &passes{took: s, origin: time.Now()}
		m := mapping("m", runner)
		m.AtOnce, m.Schedule = false, every(24*time.Hour)
		o := options(m)
		start := time.Now()
		o.Now = func() time.Time {
			if now := time.Now(); now.Sub(start) < 5*time.Minute {
				return now
			}
			return time.Now().Add(24 * time.Hour)
		}
		runFor(t, 10*time.Minute, o)
		if len(runner.began) != 1 || runner.began[0] > 6*time.Minute {
			t.Errorf("got passes at %v, want a pass within a minute after the clock was set, at 5 min", runner.began)
		}
	})
}

// heldFor is a Runner whose lease another process holds for some time.
type heldFor struct {
	*passes
	d time.Duration
}

func (h heldFor) Run(ctx context.Context) (syncer.Summary, error) {
	if time.Since(h.origin) < h.d {
		return syncer.Summary{}, &store.LeaseHeldError{Name: "m", Holder: "other/1"}
	}
	return h.passes.Run(ctx)
}

// TestRunTakesOver checks that a process that is standing by takes over as soon as the lease is
// free, not at its next tick.
func TestRunTakesOver(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		runner := heldFor{&passes{took: s, origin: time.Now()}, 95 * s}
		m := mapping("m", runner)
		m.Schedule = every(time.Hour)
		var log lines
		o := options(m)
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		runFor(t, 2*time.Hour, o)
		if len(runner.began) == 0 || runner.began[0] < 95*s || runner.began[0] > 96*s {
			t.Errorf("got passes at %v, want the first within a second after the lease is free", runner.began)
		}
		if got := strings.Count(log.String(), "standing by"); got != 1 {
			t.Errorf("got %d lines about standing by, want 1:\n%s", got, log.String())
		}
	})
}

// lines is a log that tests can read.
type lines struct {
	mu   sync.Mutex
	text []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

func TestRunIsolatesMappings(t *testing.T) {
	for name, bad := range map[string]*passes{
		"stuck": {took: time.Hour}, "failing": {err: errors.New("x")}, "panicking": {panics: "boom"},
	} {
		t.Run(name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				lively := &passes{took: s, origin: time.Now()}
				runFor(t, 25*s, options(mapping("bad", bad), mapping("lively", lively)))
				if got := len(lively.began); got != 3 {
					t.Errorf("got %d passes of the other mapping, want 3", got)
				}
			})
		})
	}
}

// TestAPanicIsAFailedPass checks that a panic is counted as a failed pass, logged with its stack
// and retried with fresh state.
func TestAPanicIsAFailedPass(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		runner := &passes{took: s, panics: "boom", origin: time.Now()}
		var log lines
		o := options(mapping("m", runner))
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		d, stop := start(t, o)
		time.Sleep(15 * s)
		if got := statusOf(t, d); got.State != status.Failing || got.Error.Passes != 2 || got.Error.Text != "run pass: panic: boom" {
			t.Errorf("got state %s, error %+v, want failing with the panic, twice", got.State, got.Error)
		}
		stop()
		if len(runner.began) != 2 || runner.closed != 3 {
			t.Errorf("got %d passes, and the runner closed %d times, want 2 passes, and closed once more at the end", len(runner.began), runner.closed)
		}
		if !strings.Contains(log.String(), "daemon_test.go") {
			t.Errorf("the log has no stack:\n%s", log.String())
		}
		if got := value(t, o.Gatherer, "syncd_passes_total", "m"); got != 2 {
			t.Errorf("got %v failed passes in the metrics, want 2", got)
		}
	})
}

func TestOpenIsTriedAgain(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		runner := &passes{took: s, origin: time.Now()}
		m := mapping("m", runner)
		m.Open = func(context.Context) (daemon.Runner, error) {
			if time.Since(runner.origin) < 15*s {
				return nil, errors.New("no such profile")
			}
			return runner, nil
		}
		runFor(t, 35*s, options(m))
		if diff := cmp.Diff([]time.Duration{20 * s, 30 * s}, runner.began); diff != "" {
			t.Errorf("passes began at (-want +got):\n%s", diff)
		}
	})
}

func TestRunEndsWhenTheServerDoes(t *testing.T) {
	o := options(mapping("m", &passes{took: time.Hour}))
	if err := o.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	o.Listener = broken{o.Listener}
	err := daemon.New(o).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "serve http: use of closed network connection") {
		t.Errorf("got %v, want the failure of the server", err)
	}
}

// broken is a listener that can be closed twice.
type broken struct{ net.Listener }

func (broken) Close() error { return nil }

// statusOf returns the status of the mapping m.
func statusOf(t *testing.T, d *daemon.Daemon) status.Mapping {
	t.Helper()
	for _, m := range d.Snapshot().Mappings {
		if m.Mapping == "m" {
			return m
		}
	}
	t.Fatal("got no status of the mapping m")
	return status.Mapping{}
}

// value returns the sum of a metric of a mapping.
func value(t *testing.T, g prometheus.Gatherer, name, mapping string) (sum float64) {
	t.Helper()
	families, err := g.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				if family.GetName() == name && l.GetName() == "mapping" && l.GetValue() == mapping {
					sum += m.GetCounter().GetValue() + m.GetGauge().GetValue()
				}
			}
		}
	}
	return sum
}
