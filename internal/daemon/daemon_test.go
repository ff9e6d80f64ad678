package daemon_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/checkpoint"
	"syncd/internal/daemon"
	"syncd/internal/syncer"
)

// passes is a Runner that notes when its passes begin, each of which takes a while.
type passes struct {
	took time.Duration
	err  error

	mu     sync.Mutex
	began  []time.Duration
	origin time.Time
	closed bool
}

func (p *passes) Run(ctx context.Context) (syncer.Summary, error) {
	p.mu.Lock()
	p.began = append(p.began, time.Since(p.origin))
	p.mu.Unlock()
	select {
	case <-time.After(p.took):
		return syncer.Summary{}, p.err
	case <-ctx.Done():
		return syncer.Summary{}, syncer.ErrDrained
	}
}

func (p *passes) Close() error { p.closed = true; return nil }

// every is a schedule of fixed intervals.
type every time.Duration

func (e every) Next(t time.Time) time.Time { return t.Add(time.Duration(e)) }

// listener accepts nothing until it is closed; unlike a socket it can be waited for in a bubble.
type listener struct{ closed chan struct{} }

func (l listener) Accept() (net.Conn, error) { <-l.closed; return nil, net.ErrClosed }
func (l listener) Close() error              { close(l.closed); return nil }
func (l listener) Addr() net.Addr            { return &net.TCPAddr{} }

func options(mappings ...daemon.Mapping) daemon.Options {
	return daemon.Options{
		Mappings: mappings, Listener: listener{make(chan struct{})}, Handler: http.NotFoundHandler(),
		Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	}
}

func TestRunKeepsTheSchedule(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name   string
		runner *passes
		atOnce bool
		want   []time.Duration
	}{
		{"short passes at every tick", &passes{took: s}, true, []time.Duration{0, 10 * s, 20 * s, 30 * s}},
		{"the first at the first tick", &passes{took: s}, false, []time.Duration{10 * s, 20 * s, 30 * s}},
		{"ticks missed by a long pass run once, right after it", &passes{took: 25 * s}, true, []time.Duration{0, 25 * s}},
		{"a failed pass is tried again at the next tick", &passes{took: s, err: errors.New("x")}, true, []time.Duration{0, 10 * s, 20 * s, 30 * s}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 35*s)
				defer cancel()
				tt.runner.origin = time.Now()
				m := daemon.Mapping{Name: "m", Schedule: every(10 * s), AtOnce: tt.atOnce, Runner: tt.runner}
				if err := daemon.Run(ctx, options(m)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(tt.want, tt.runner.began); diff != "" {
					t.Errorf("passes began at (-want +got):\n%s", diff)
				}
				if !tt.runner.closed {
					t.Error("the lease was not given back")
				}
			})
		})
	}
}

// heldFor is a Runner that another process keeps from running for a while.
type heldFor struct {
	*passes
	d time.Duration
}

func (h heldFor) Run(ctx context.Context) (syncer.Summary, error) {
	if time.Since(h.origin) < h.d {
		return syncer.Summary{}, &checkpoint.LeaseHeldError{Name: "m", Holder: "other/1"}
	}
	return h.passes.Run(ctx)
}

// A process that stands by takes over as soon as the lease is free, not at its next tick.
func TestRunTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
		defer cancel()
		runner := heldFor{&passes{took: time.Second, origin: time.Now()}, 95 * time.Second}
		m := daemon.Mapping{Name: "m", Schedule: every(time.Hour), AtOnce: true, Runner: runner}
		var log lines
		o := options(m)
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		if err := daemon.Run(ctx, o); err != nil {
			t.Fatal(err)
		}
		if len(runner.began) == 0 || runner.began[0] < 95*time.Second || runner.began[0] > 97*time.Second {
			t.Errorf("got passes at %v, want the first within 2s of the lease", runner.began)
		}
		if got := strings.Count(string(log), "standing by"); got != 1 {
			t.Errorf("got %d lines about standing by, want 1:\n%s", got, log)
		}
	})
}

// lines is a log that is kept.
type lines []byte

func (l *lines) Write(p []byte) (int, error) { *l = append(*l, p...); return len(p), nil }

func TestRunIsolatesMappings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()
		stuck := &passes{took: time.Hour, origin: time.Now()}
		lively := &passes{took: time.Second, origin: time.Now()}
		err := daemon.Run(ctx, options(
			daemon.Mapping{Name: "stuck", Schedule: every(10 * time.Second), AtOnce: true, Runner: stuck},
			daemon.Mapping{Name: "lively", Schedule: every(10 * time.Second), AtOnce: true, Runner: lively},
		))
		if err != nil {
			t.Fatal(err)
		}
		if got := len(lively.began); got != 3 {
			t.Errorf("got %d passes of the other mapping, want 3", got)
		}
	})
}

func TestRunEndsWhenTheServerDoes(t *testing.T) {
	runner := &passes{took: time.Hour}
	o := options(daemon.Mapping{Name: "m", Schedule: every(time.Hour), AtOnce: true, Runner: runner})
	if err := o.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	o.Listener = broken{o.Listener}
	err := daemon.Run(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "serve http: use of closed network connection") {
		t.Errorf("got %v, want the server's end as the reason", err)
	}
}

// broken is a listener that can be closed again.
type broken struct{ net.Listener }

func (broken) Close() error { return nil }

func TestHandler(t *testing.T) {
	registry := prometheus.NewRegistry()
	counted := prometheus.NewCounter(prometheus.CounterOpts{Name: "syncd_test_total", Help: "Test."})
	registry.MustRegister(counted)
	counted.Inc()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closeServer := daemon.Serve(t.Context(), l, daemon.Handler(registry), func(err error) { t.Error(err) })
	tests := []struct {
		path   string
		status int
		want   string
	}{
		{"/healthz", http.StatusOK, "ok\n"},
		{"/metrics", http.StatusOK, "syncd_test_total 1"},
		{"/", http.StatusNotFound, ""},
	}
	for _, tt := range tests {
		status, body, err := get("http://" + l.Addr().String() + tt.path)
		if err != nil || status != tt.status || !strings.Contains(body, tt.want) {
			t.Errorf("%s: got %d %q, %v, want %d with %q", tt.path, status, body, err, tt.status, tt.want)
		}
	}
	if err := closeServer(); err != nil {
		t.Error(err)
	}
	if _, _, err := get("http://" + l.Addr().String() + "/healthz"); err == nil {
		t.Error("got an answer after the server was closed")
	}
}

func get(url string) (status int, body string, err error) {
	response, err := http.Get(url)
	if err != nil {
		return 0, "", err
	}
	defer func() { err = errors.Join(err, response.Body.Close()) }()
	read, err := io.ReadAll(response.Body)
	return response.StatusCode, string(read), err
}
