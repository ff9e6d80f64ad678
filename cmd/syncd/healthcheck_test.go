package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd/internal/invocation"
)

func TestHealthcheck(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/stalled/healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("no progress for 15m0s: m\n"))
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"a healthy daemon", []string{"--url", server.URL + "/healthz"}, 0, ""},
		{"a stalled one", []string{"--url", server.URL + "/stalled/healthz"}, 1, "503 Service Unavailable: no progress for 15m0s: m"},
		{"none", []string{"--url", "http://127.0.0.1:1/healthz"}, 1, "connection refused"},
		{"no URL", []string{"--url", "::"}, 2, "check health"},
		{"the address of a configuration", []string{"--config", file("syncd.yaml", "http: {listen: \""+address+"\"}\n")}, 0, ""},
		{"a configuration with faults elsewhere", []string{"--config", file("faults.yaml", "http: {listen: \""+address+"\"}\nstate: 7\nmappings: nonsense\n")}, 0, ""},
		{"a configuration that is not there", []string{"--config", "/nowhere/syncd.yaml"}, 2, "read configuration: open /nowhere/syncd.yaml: no such file or directory; hint: give the path of the configuration with --config, or give --url"},
		{"a configuration that is a folder", []string{"--config", t.TempDir()}, 2, "is a directory"},
		{"address without a server", []string{"--config", file("closed.yaml", "http: {listen: \"127.0.0.1:1\"}\n")}, 1, "connection refused; hint: check that `syncd run` is running at that address, and that --url"},
		{"both", []string{"--config", "x", "--url", "y"}, 2, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var stdout, stderr lockedBuffer
			code := run(t.Context(), append([]string{"healthcheck"}, tt.args...), invocation.Process{Stdout: &stdout, Stderr: &stderr, LookupEnv: os.LookupEnv, ReadFile: os.ReadFile})
			if code != tt.code || !strings.Contains(stderr.String(), tt.want) || stdout.String() != "" {
				t.Errorf("got exit %d, stdout %q, stderr %q, want %d with %q", code, stdout.String(), stderr.String(), tt.code, tt.want)
			}
		})
	}
}

func TestHealthURL(t *testing.T) {
	for listens, want := range map[string]string{
		"":               "http://127.0.0.1:9090/healthz",
		":8080":          "http://127.0.0.1:8080/healthz",
		"0.0.0.0:8080":   "http://127.0.0.1:8080/healthz",
		"[::]:8080":      "http://[::1]:8080/healthz",
		"10.0.0.7:8080":  "http://10.0.0.7:8080/healthz",
		"localhost:8080": "http://localhost:8080/healthz",
	} {
		if got := healthURL(listens); got != want {
			t.Errorf("%q: got %s, want %s", listens, got, want)
		}
	}
}

// TestHealthcheckOfADaemonThatSpeaksTLS checks that healthcheck works with a daemon that serves
// TLS, although it derives a plain HTTP URL from the configured address.
func TestHealthcheckOfADaemonThatSpeaksTLS(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	defer server.Close()
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	url := "http://" + server.Listener.Addr().String() + "/healthz"
	if err := checkHealth(t.Context(), url); err != nil {
		t.Errorf("got %v, want it healthy", err)
	}
	status = http.StatusServiceUnavailable
	if err := checkHealth(t.Context(), url); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("got %v, want it unhealthy", err)
	}
}
