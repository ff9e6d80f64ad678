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

// What a client may cost. All answers are small, and those who ask are a Prometheus, an
// orchestrator's probes and a few people.
const (
	// headerTimeout bounds how long a client may take to send the headers of its request,
	// readTimeout the whole of it.
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	// writeTimeout bounds how long an answer may take.
	writeTimeout = 30 * time.Second
	// idleTimeout is how long a connection is kept for another request: longer than the usual
	// interval of scrapes.
	idleTimeout = 90 * time.Second
	// closeTimeout bounds how long answers in progress may take when the server closes.
	closeTimeout = 500 * time.Millisecond
	// maxHeaderBytes bounds the headers of a request.
	maxHeaderBytes = 16 << 10
)

// Server answers for a process. Its fields but WebConfig must be set.
type Server struct {
	Handler http.Handler
	// WebConfig is the path of a web configuration of Prometheus's exporter-toolkit, for TLS and
	// basic authentication; "" for neither.
	WebConfig string
	// Logger gets what goes wrong with connections, at debug level.
	Logger *slog.Logger
	// Failed is called when the server ends by itself.
	Failed func(error)
}

// CheckWebConfig says what is wrong with a web configuration.
func CheckWebConfig(path string) error {
	if path == "" {
		return nil
	}
	if err := web.Validate(path); err != nil {
		return fmt.Errorf("read web configuration %s: %w", path, err)
	}
	return nil
}

// Serve answers on listener until the returned func is called, which waits for answers in progress.
// The end of ctx does not end it: a drain wants to be watched.
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
	quiet := slog.New(slog.DiscardHandler) // it logs the address, which the daemon logs itself
	return serveWith(ctx, server, func() error { return web.Serve(limited, server, &web.FlagConfig{WebConfigFile: &s.WebConfig}, quiet) }, s.Failed)
}

// ServeWith is Serve with a server of the caller's, without any bounds but its own.
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
			err = server.Close() // a scrape that hangs does not hold the process
		}
		return err
	}
}

// nosniff keeps browsers from taking an answer for something else than it says it is.
func nosniff(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// bodiless refuses requests with a body, which nothing here asks for, and closes their connections:
// the server would wait for the rest of it, for as long as readTimeout, as if it were still
// answering.
func bodiless(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Connection", "close")
		plain(w, http.StatusRequestEntityTooLarge, "no request has a body here\n")
		_ = http.NewResponseController(w).SetReadDeadline(time.Now()) // nor is the rest read to pass over it
	})
}

// serverError is the end of the HTTP server that nobody asked for.
type serverError struct{ err error }

func (e *serverError) Error() string { return "serve http: " + e.err.Error() }

func (e *serverError) Unwrap() error { return e.err }

// Failure returns why a server ended by itself, nil when it did not: its Failed cancels ctx with
// that.
func Failure(ctx context.Context) error {
	failure, _ := errors.AsType[*serverError](context.Cause(ctx))
	if failure == nil {
		return nil
	}
	return failure
}
