package web_test

import (
	"bufio"
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/daemon/status"
	"syncd/internal/daemon/web"
)

// empty is a daemon without mappings.
type empty struct{}

func (empty) Snapshot() *status.Snapshot  { return &status.Snapshot{} }
func (empty) Readiness() status.Readiness { return status.Readiness{Ready: true} }
func (empty) Health() error               { return nil }

// TestHosts checks which host names are allowed, for every kind of host name.
func TestHosts(t *testing.T) {
	address := served(t, web.Handler(web.Options{
		Gatherer: prometheus.NewRegistry(), Source: empty{}, Hosts: web.Hosts{"syncd.example.com", "dotted.example.com."}, Pprof: true, Logger: slog.New(slog.DiscardHandler),
	}))
	for host, want := range map[string]int{
		"127.0.0.1:9090": 200, "[::1]:9090": 200, "10.1.2.3": 200, "localhost:9090": 200, "a.localhost": 200, "": 200,
		"syncd.example.com": 200, "SYNCD.example.com:443": 200, "syncd.example.com.": 200,
		"dotted.example.com": 200, "dotted.example.com.:9090": 200,
		"rebound.example.net": 421, "syncd.example.com.evil.example": 421, "localhost.evil.example:9090": 421, "127.0.0.1.evil.example": 421,
	} {
		for path, guarded := range map[string]bool{
			"/status": true, "/status.json": true, "/debug/pprof/": true, "/metrics": false, "/healthz": false, "/readyz": false,
		} {
			conn := dial(t, address)
			if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host); err != nil {
				t.Fatal(err)
			}
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err == nil {
				err = response.Body.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
			if isRefused := response.StatusCode == http.StatusMisdirectedRequest; isRefused != (guarded && want == 421) {
				t.Errorf("%s of %q: got %d", path, host, response.StatusCode)
			}
			if response.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s of %q: got %v, want nosniff", path, host, response.Header)
			}
		}
	}
}
