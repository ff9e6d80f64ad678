package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// headerTimeout bounds how long a client may take to send its request.
	headerTimeout = 5 * time.Second
	// closeTimeout bounds how long answers under way may take when the server closes.
	closeTimeout = 500 * time.Millisecond
)

// Handler answers /metrics from the registry, in the text format or OpenMetrics, and /healthz with 200 while the process
// lives.
func Handler(registry prometheus.Gatherer) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{EnableOpenMetrics: true}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "ok")
	})
	return mux
}

// Serve answers on listener until the returned func is called, which waits for answers under way; it calls failed when the
// server ends by itself. The end of ctx does not end it: a drain wants to be watched.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, failed func(error)) (closeServer func() error) {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			failed(&serverError{err})
		}
	})
	return func() error {
		defer serving.Wait()
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		err := server.Shutdown(closing)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close() // a scrape that hangs does not hold the process
		}
		return err
	}
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
