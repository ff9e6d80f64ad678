package web_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/daemon/web"
)

// passwordHash is the bcrypt hash of "scrape-me".
const passwordHash = "$2b$05$11am7r9yzAGpYzzh5DL/8eZ74Li42KwrrXW0QA8G5oi8lllPHAsHC"

// writeWebConfig writes a web configuration with a new certificate and the given users to a folder.
func writeWebConfig(t *testing.T, users string) (path string) {
	t.Helper()
	dir := t.TempDir()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"cert.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		"key.pem":  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		"web.yaml": []byte("tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n" + users),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "web.yaml")
}

// TestWebConfig checks that a server with a web configuration requires TLS and basic
// authentication.
func TestWebConfig(t *testing.T) {
	path := writeWebConfig(t, "basic_auth_users: {prometheus: \""+passwordHash+"\"}\n")
	if err := web.CheckWebConfig(path); err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closeServer := web.Server{
		Handler: web.Handler(web.Options{Gatherer: prometheus.NewRegistry()}), WebConfig: path, Logger: slog.New(slog.DiscardHandler), Failed: func(err error) { t.Error(err) },
	}.Serve(t.Context(), l)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	for user, want := range map[string]int{"": 401, "prometheus:wrong@": 401, "other:scrape-me@": 401, "prometheus:scrape-me@": 200} {
		response, err := client.Get("https://" + user + l.Addr().String() + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil || response.StatusCode != want {
			t.Errorf("as %q: got %d, %v, want %d", user, response.StatusCode, err, want)
		}
	}
	if err := closeServer(); err != nil {
		t.Error(err)
	}
}

// TestCheckWebConfig checks that the error names the file and the problem.
func TestCheckWebConfig(t *testing.T) {
	path := writeWebConfig(t, "basic_auth_users: {prometheus: not-a-hash}\n")
	for _, path := range []string{path, filepath.Join(t.TempDir(), "absent.yaml")} {
		if err := web.CheckWebConfig(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("got %v, want an error that names %s", err, path)
		}
	}
	if err := web.CheckWebConfig(""); err != nil {
		t.Error(err)
	}
}
