// Package web serves what a process shows over HTTP: metrics, probes, the status as a page and as
// JSON, and profiles.
//
// It promises that clients cost little: headers, times and connections are bounded, and a probe is
// answered however many others hold connections. Pages are served under known names only (DNS
// rebinding), load nothing from elsewhere, and show texts that others chose as text.
//
// It leaves to the daemon how its mappings are. All that is shown of one comes from a value of
// package status, which page and JSON read alike; no secret is in it.
//
// The words: a source is the daemon that is shown; to guard is to refuse what only a page of
// somebody else would ask for.
package web

import (
	"log/slog"
	"net/http"
	"net/http/pprof"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"syncd/internal/daemon/status"
)

// Options are what is served. Gatherer is required.
type Options struct {
	// Gatherer has the metrics.
	Gatherer prometheus.Gatherer
	// Source is the daemon that is shown; nil for commands without a schedule, which have no pages.
	Source Source
	// Hosts are the names under which the pages and the profiles are served.
	Hosts Hosts
	// Pprof serves the profiles of the Go runtime.
	Pprof bool
	// Logger gets what cannot be shown; it is required where there is a Source.
	Logger *slog.Logger
}

// Handler answers /metrics, in the text format or OpenMetrics, /healthz, and /debug/pprof/ where it
// is asked for; of a daemon also /readyz and /status.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(o.Gatherer, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { health(w, o.Source) })
	if o.Source != nil {
		mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { ready(w, o.Source.Readiness()) })
		mux.Handle("GET /{$}", http.RedirectHandler("/status", http.StatusFound))
		pages := http.NewServeMux()
		newPages(o.Source, o.Logger).register(pages)
		mux.Handle("/", o.Hosts.guard(pages))
	}
	if o.Pprof {
		mux.Handle("GET /debug/pprof/", o.Hosts.guard(profiles()))
	}
	return mux
}

// health answers 200 while the process lives, and 503 where only another one helps.
func health(w http.ResponseWriter, of Source) {
	if of != nil {
		if err := of.Health(); err != nil {
			plain(w, http.StatusServiceUnavailable, err.Error()+"\n")
			return
		}
	}
	plain(w, http.StatusOK, "ok\n")
}

// ready answers 200 while the process can work.
func ready(w http.ResponseWriter, answer status.Readiness) {
	code := http.StatusOK
	if !answer.Ready {
		code = http.StatusServiceUnavailable
	}
	writeJSON(w, code, answer)
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
