package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/net/netutil"
)

// The limits for clients. All responses are small, and the clients are a Prometheus server, the
// probes of an orchestrator and a few users.
const (
	// headerTimeout limits how long a client may take to send the request headers, and readTimeout
	// how long it may take to send the whole request.
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	// writeTimeout limits how long a response may take.
	writeTimeout = 30 * time.Second
	// idleTimeout is how long an idle connection is kept open: longer than the usual scrape
	// interval.
	idleTimeout = 90 * time.Second
	// closeTimeout limits how long responses in progress may take when the server closes.
	closeTimeout = 500 * time.Millisecond
	// maxHeaderBytes limits the size of the request headers.
	maxHeaderBytes = 16 << 10
)

// Server serves HTTP for a process. All fields except WebConfig are required.
type Server struct {
	Handler http.Handler
	// WebConfig is the path of a web configuration file of Prometheus's exporter-toolkit, for TLS
	// and basic authentication. If it is "", neither is used.
	WebConfig string
	// Logger logs connection errors at debug level.
	Logger *slog.Logger
	// Failed is called with the error when the server fails.
	Failed func(error)
}

// CheckWebConfig returns an error if a web configuration file is not valid.
func CheckWebConfig(path string) error {
	if path == "" {
		return nil
	}
	if err := web.Validate(path); err != nil {
		return fmt.Errorf("read web configuration %s: %w", path, err)
	}
	return nil
}

// Serve serves on listener until the returned func is called. That func waits for responses in
// progress. The server does not stop when ctx ends, so that users can watch a drain.
func (s Server) Serve(ctx context.Context, listener net.Listener) (closeServer func() error) {
	c := connections{at: map[net.Conn]visit{}}
	server := &http.Server{
		Handler: nosniff(bodiless(s.Handler)), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes, ConnState: c.note,
		ErrorLog: slog.NewLogLogger(s.Logger.Handler(), slog.LevelDebug),
	}
	limited := netutil.LimitListener(listener, 2*maxConnections)
	if s.WebConfig == "" {
		return serveWith(ctx, server, func() error { return server.Serve(limited) }, s.Failed)
	}
	quiet := slog.New(slog.DiscardHandler) // the library would log the address, which the daemon already logs
	return serveWith(ctx, server, func() error { return web.Serve(limited, server, &web.FlagConfig{WebConfigFile: &s.WebConfig}, quiet) }, s.Failed)
}

// ServeWith is like Serve, but uses the given server and sets no limits on it.
func ServeWith(ctx context.Context, server *http.Server, listener net.Listener, failed func(error)) (closeServer func() error) {
	return serveWith(ctx, server, func() error { return server.Serve(listener) }, failed)
}

func serveWith(ctx context.Context, server *http.Server, serve func() error, failed func(error)) (closeServer func() error) {
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := serve(); !errors.Is(err, http.ErrServerClosed) {
			failed(&serverError{err})
		}
	})
	return func() error {
		defer serving.Wait()
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		err := server.Shutdown(closing)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close() // a stuck scrape must not keep the process alive
		}
		return err
	}
}

// nosniff prevents browsers from guessing content types.
func nosniff(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// bodiless rejects requests with a body, because no endpoint accepts a body, and closes their
// connections. If bodiless left such a connection open, the server would wait up to readTimeout for
// the rest of the body, and the connection would count as active.
func bodiless(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Connection", "close")
		plain(w, http.StatusRequestEntityTooLarge, "requests must not have a body\n")
		_ = http.NewResponseController(w).SetReadDeadline(time.Now()) // do not read the rest of the body
	})
}

// serverError is the error of an HTTP server that failed.
type serverError struct{ err error }

func (e *serverError) Error() string { return "serve http: " + e.err.Error() }

func (e *serverError) Unwrap() error { return e.err }

// Failure returns the error of a server whose Failed func canceled ctx, or nil.
func Failure(ctx context.Context) error {
	failure, _ := errors.AsType[*serverError](context.Cause(ctx))
	if failure == nil {
		return nil
	}
	return failure
}
