package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/pprof"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"syncd/internal/printable"
)

// HandlerOptions are what commands without a schedule serve.
type HandlerOptions struct {
	// Gatherer has the metrics.
	Gatherer prometheus.Gatherer
	// Pprof serves the profiles of the Go runtime, under the names of Hosts.
	Pprof bool
	Hosts Hosts
}

// Handler answers /metrics, in the text format or OpenMetrics, /healthz with 200 while the process lives, and /debug/pprof/ where it is
// asked for. It is for commands that keep no schedule.
func Handler(o HandlerOptions) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metricsHandler(o.Gatherer))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "ok\n") })
	if o.Pprof {
		mux.Handle("GET /debug/pprof/", o.Hosts.guard(profiles()))
	}
	return mux
}

func metricsHandler(registry prometheus.Gatherer) http.Handler {
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true})
}

// Handler answers /metrics, /healthz, /readyz and /status, and /debug/pprof/ where it is asked for.
func (d *Daemon) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", metricsHandler(d.o.Gatherer))
	mux.HandleFunc("GET /healthz", d.health)
	mux.HandleFunc("GET /readyz", d.ready)
	mux.Handle("GET /{$}", http.RedirectHandler("/status", http.StatusFound))
	pages := http.NewServeMux()
	newPages(d).register(pages)
	mux.Handle("/", d.o.Hosts.guard(pages))
	if d.o.Pprof {
		mux.Handle("GET /debug/pprof/", d.o.Hosts.guard(profiles()))
	}
	return mux
}

// profiles answers /debug/pprof/.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", lasting(pprof.Profile))
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", lasting(pprof.Trace))
	return mux
}

// lasting gives an answer as long as its request asks it to take.
func lasting(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		seconds, err := strconv.ParseFloat(r.URL.Query().Get("seconds"), 64)
		if err != nil || seconds <= 0 {
			seconds = 30 // as net/http/pprof has it
		}
		end := time.Now().Add(time.Duration(seconds*float64(time.Second)) + writeTimeout)
		_ = http.NewResponseController(w).SetWriteDeadline(end) // without it the answer is cut
		handle(w, r)
	}
}

// health answers 503 when a pass that showed no sign of life was told to end and does not: starting the process again is all that
// helps, though it interrupts the passes of all other mappings.
func (d *Daemon) health(w http.ResponseWriter, _ *http.Request) {
	var stalled []string
	for _, k := range d.kept() {
		if k.stuck(d.o.Now()) {
			stalled = append(stalled, k.m.Name)
		}
	}
	if len(stalled) > 0 {
		plain(w, http.StatusServiceUnavailable, fmt.Sprintf("no sign of life for %s: %s\n", d.o.Watchdog, strings.Join(stalled, ", ")))
		return
	}
	plain(w, http.StatusOK, "ok\n")
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = printable.Lines(w).Write([]byte(text)) // whoever asked may have gone
}

func writeJSON(w http.ResponseWriter, status int, document any) {
	guard(w.Header())
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(printable.JSON(w))
	encoder.SetIndent("", "  ")
	_ = encoder.Encode(document) // whoever asked may have gone
}

// serverError is the end of the HTTP server that nobody asked for.
type serverError struct{ err error }

func (e *serverError) Error() string { return "serve http: " + e.err.Error() }

func (e *serverError) Unwrap() error { return e.err }

// serverFailure returns why the server ended by itself, nil when it did not.
func serverFailure(ctx context.Context) error {
	failure, _ := errors.AsType[*serverError](context.Cause(ctx))
	if failure == nil {
		return nil
	}
	return failure
}
