// Package web serves the HTTP endpoints of a process: metrics, probes, the status as a page and as
// JSON, and profiles.
//
// It limits the resources that clients can use: the size of headers, the duration of requests and
// the number of connections. A probe is answered even if other clients hold many connections. Pages
// are served only under configured host names (against DNS rebinding), load nothing from other
// hosts, and escape all texts.
//
// The daemon provides the data. The page and the JSON present the same status.Snapshot, which
// contains no secrets.
//
// Two terms: a source is the daemon whose status is served; to guard pages means to protect them
// against requests that are sent by the pages of other sites.
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

// Options are the settings of Handler. Gatherer is required.
type Options struct {
	// Gatherer provides the metrics to serve.
	Gatherer prometheus.Gatherer
	// Source is the daemon whose status is served. It is nil for commands without a schedule, which
	// have no pages.
	Source Source
	// Hosts are the host names under which the pages and profiles are served.
	Hosts Hosts
	// Pprof enables the profiles of the Go runtime.
	Pprof bool
	// Logger logs pages that cannot be rendered. It is required if Source is set.
	Logger *slog.Logger
}

// Handler serves /metrics, in the text format or as OpenMetrics, /healthz, and /debug/pprof/ if it
// is enabled. If there is a Source, it also serves /readyz and /status.
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

// health responds with 200, or with 503 if the process should be restarted.
func health(w http.ResponseWriter, of Source) {
	if of != nil {
		if err := of.Health(); err != nil {
			plain(w, http.StatusServiceUnavailable, err.Error()+"\n")
			return
		}
	}
	plain(w, http.StatusOK, "ok\n")
}

// ready responds with 200 if the process can work, and otherwise with 503.
func ready(w http.ResponseWriter, answer status.Readiness) {
	code := http.StatusOK
	if !answer.Ready {
		code = http.StatusServiceUnavailable
	}
	writeJSON(w, code, answer)
}

// profiles serves /debug/pprof/.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", lasting(pprof.Profile))
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", lasting(pprof.Trace))
	return mux
}

// lasting extends the write deadline by the duration that the request asks for.
func lasting(handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		seconds, err := strconv.ParseFloat(r.URL.Query().Get("seconds"), 64)
		if err != nil || seconds <= 0 {
			seconds = 30 // the default of net/http/pprof
		}
		end := time.Now().Add(time.Duration(seconds*float64(time.Second)) + writeTimeout)
		_ = http.NewResponseController(w).SetWriteDeadline(end) // or the profile would be cut off
		handle(w, r)
	}
}
