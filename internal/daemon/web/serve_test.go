package web_test

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/daemon/web"
)

// served serves handler on the loopback interface until the test ends, and returns the address.
func served(t *testing.T, handler http.Handler) (address string) {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closeServer := web.Server{Handler: handler, Logger: slog.New(slog.DiscardHandler), Failed: func(err error) { t.Error(err) }}.Serve(t.Context(), l)
	t.Cleanup(func() {
		if err := closeServer(); err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestProbesAreServedAmongHostileConnections checks that probes and scrapes are answered while many
// connections send nothing or an incomplete request, and that only a few of these connections stay
// open.
func TestProbesAreServedAmongHostileConnections(t *testing.T) {
	const hostile = 2000
	for name, text := range map[string]string{"idle": "", "half a request": "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: "} {
		t.Run(name, func(t *testing.T) {
			address := served(t, web.Handler(web.Options{Gatherer: prometheus.NewRegistry()}))
			var closed sync.WaitGroup
			t.Cleanup(closed.Wait) // the cleanup runs after all connections are closed
			var mu sync.Mutex
			open := hostile
			for range hostile {
				conn := dial(t, address)
				if _, err := io.WriteString(conn, text); err != nil {
					continue // it is already closed
				}
				closed.Go(func() {
					_, _ = io.Copy(io.Discard, conn)
					mu.Lock()
					defer mu.Unlock()
					open--
				})
			}
			for _, path := range []string{"/healthz", "/metrics"} {
				status, _, err := get("http://" + address + path)
				if err != nil || status != http.StatusOK {
					t.Errorf("%s: got %d, %v", path, status, err)
				}
			}
			eventually(t, "all but a few connections are closed", func() bool {
				mu.Lock()
				defer mu.Unlock()
				return open <= 256
			})
		})
	}
}

// TestLargeHeadersCostLittle checks that headers of 900 KB on many connections use little memory.
func TestLargeHeadersCostLittle(t *testing.T) {
	const hostile, most = 200, 64 << 20
	address := served(t, web.Handler(web.Options{Gatherer: prometheus.NewRegistry()}))
	// A byte slice is shared by all connections; a string would be copied for each.
	request := []byte("GET /healthz HTTP/1.1\r\nHost: x\r\nX-Large: " + strings.Repeat("x", 900<<10))
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var sending sync.WaitGroup
	for range hostile {
		conn := dial(t, address)
		sending.Go(func() {
			_, _ = conn.Write(request) // the server rejects the request before it is complete
			_, _ = io.Copy(io.Discard, conn)
		})
	}
	sending.Wait()
	runtime.ReadMemStats(&during)
	if grown := int64(during.HeapInuse) - int64(before.HeapInuse); grown > most {
		t.Errorf("got %d bytes more in use, want at most %d", grown, most)
	}
	conn := dial(t, address)
	go func() { _, _ = conn.Write(request) }()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 431 ") {
		t.Errorf("got %q, %v, want 431", line, err)
	}
}

// pipes is a listener with in-memory connections, which use the clock of a bubble.
type pipes struct {
	conns chan net.Conn
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	conn, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.conns) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestSlowClientsAreCutOff checks that clients that are slow in any way are disconnected in time.
func TestSlowClientsAreCutOff(t *testing.T) {
	for name, tt := range map[string]struct {
		send string
		read bool
		want time.Duration // maximum time until the connection is closed
	}{
		"nothing is sent":      {"", true, 5 * time.Second},
		"headers do not end":   {"GET /healthz HTTP/1.1\r\nHost: x\r\n", true, 5 * time.Second},
		"no other request":     {"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", true, 90 * time.Second},
		"the body is not sent": {"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", true, 0},
		"nor that of a scrape": {"GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n12345678", true, 0},
		"nor any chunk of it":  {"GET /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", true, 0},
		"nor at its request":   {"PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n", true, 0},
		"the answer is unread": {"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", false, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &pipes{conns: make(chan net.Conn)}
				large := prometheus.NewRegistry()
				labeled := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "syncd_test_total", Help: "Test."}, []string{"label"})
				large.MustRegister(labeled)
				for i := range 200 {
					labeled.WithLabelValues(strings.Repeat("x", 200) + strconv.Itoa(i))
				}
				closeServer := web.Server{Handler: web.Handler(web.Options{Gatherer: large}), Logger: slog.New(slog.DiscardHandler), Failed: func(err error) { t.Error(err) }}.Serve(t.Context(), l)
				client, server := net.Pipe()
				l.conns <- server
				start := time.Now()
				if _, err := io.WriteString(client, tt.send); err != nil {
					t.Fatal(err)
				}
				if !tt.read {
					time.Sleep(tt.want + time.Second)
				}
				answer, _ := io.ReadAll(client) // reads until the server closes the connection
				if took := time.Since(start); took > tt.want+2*time.Second {
					t.Errorf("cut off after %s, want %s", took, tt.want)
				}
				if refused := strings.HasPrefix(string(answer), "HTTP/1.1 413 "); refused != (tt.want == 0) {
					t.Errorf("got %q", answer)
				}
				if err := closeServer(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// eventually waits until the condition is true. It is for sockets, outside of bubbles. It limits
// the number of polls, not the time, so that a busy or suspended machine has more than the minute
// that the polls take at least.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 12_000 {
		if holds() {
			return
		}
		<-tick.C
	}
	t.Fatalf("gave up waiting until %s", what)
}
