package web_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/daemon/web"
)

func TestServe(t *testing.T) {
	registry := prometheus.NewRegistry()
	counted := prometheus.NewCounter(prometheus.CounterOpts{Name: "syncd_test_total", Help: "Test."})
	registry.MustRegister(counted)
	counted.Inc()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closeServer := web.Server{Handler: web.Handler(web.Options{Gatherer: registry}), Logger: slog.New(slog.DiscardHandler), Failed: func(err error) { t.Error(err) }}.Serve(t.Context(), l)
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

// TestPprofWithoutASchedule checks that profiles are served only if enabled, and only under allowed
// host names.
func TestPprofWithoutASchedule(t *testing.T) {
	for _, tt := range []struct {
		pprof bool
		host  string
		want  int
	}{{false, "127.0.0.1", http.StatusNotFound}, {true, "127.0.0.1", http.StatusOK}, {true, "rebound.example.com", http.StatusMisdirectedRequest}, {true, "syncd.example.com", http.StatusOK}} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/debug/pprof/cmdline", nil)
		r.Host = tt.host
		w := httptest.NewRecorder()
		web.Handler(web.Options{Gatherer: prometheus.NewRegistry(), Pprof: tt.pprof, Hosts: web.Hosts{"syncd.example.com"}}).ServeHTTP(w, r)
		if w.Code != tt.want {
			t.Errorf("pprof %t as %s: got %d, want %d", tt.pprof, tt.host, w.Code, tt.want)
		}
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
