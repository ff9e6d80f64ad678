package creds_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestInstanceWithoutIMDSv2 checks that the credentials are read with IMDSv1, and that our warning
// replaces the SDK's.
func TestInstanceWithoutIMDSv2(t *testing.T) {
	w := newWorld(t)
	inner, err := url.Parse(metadataServer(t, w))
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(inner)
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			http.Error(out, "no tokens here", http.StatusForbidden)
			return
		}
		proxy.ServeHTTP(out, r)
	}))
	defer server.Close()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.URL)
	var log bytes.Buffer
	w.options.Ambient, w.options.Logger = nil, slog.New(slog.NewTextHandler(&log, nil))
	w.options.HTTPClient = &http.Client{Transport: detour{w.cloud.RoundTripper(), &http.Transport{DisableKeepAlives: true}}}
	if err := w.try(t, "syncd"); err != nil {
		t.Error(err)
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `msg="instance metadata refused IMDSv2, fell back to IMDSv1"`) {
		t.Errorf("got log %q, want one line with our message", got)
	}
}

// metadataServer starts a server without TLS that responds like the credentials endpoints of ECS
// and EKS Pod Identity, and like EC2 instance metadata.
func metadataServer(t *testing.T, w *world) string {
	t.Helper()
	mux := http.NewServeMux()
	give := func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(out).Encode(map[string]string{ // a client that has disconnected needs no response
			"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": w.user.AccessKeyID, "SecretAccessKey": w.user.SecretAccessKey,
			"Token": "", "Expiration": time.Now().Add(time.Hour).UTC().Format(time.RFC3339), "LastUpdated": time.Now().UTC().Format(time.RFC3339),
		})
	}
	mux.HandleFunc("GET /container", give)
	mux.HandleFunc("PUT /latest/api/token", func(out http.ResponseWriter, _ *http.Request) {
		out.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
		_, _ = out.Write([]byte("token"))
	})
	const role = "/latest/meta-data/iam/security-credentials/"
	mux.HandleFunc("GET "+role, func(out http.ResponseWriter, r *http.Request) {
		if strings.TrimPrefix(r.URL.Path, role) == "" {
			_, _ = out.Write([]byte("instance-role"))
			return
		}
		give(out, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

// detour sends requests for AWS to the cloud, and all others elsewhere.
type detour struct{ cloud, elsewhere http.RoundTripper }

func (b detour) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Hostname(), "aws.invalid") {
		return b.cloud.RoundTrip(r)
	}
	return b.elsewhere.RoundTrip(r)
}

// TestCredentialsOfContainersAndInstances checks that credentials of containers and instances can
// come from endpoints without TLS that are not in the configuration.
func TestCredentialsOfContainersAndInstances(t *testing.T) {
	for name, set := range map[string]func(t *testing.T, endpoint string){
		"container": func(t *testing.T, endpoint string) {
			t.Helper()
			t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint+"/container")
		},
		"instance": func(t *testing.T, endpoint string) {
			t.Helper()
			t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
			t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint)
		},
	} {
		for _, role := range []string{"syncd", ""} {
			t.Run(name+" "+role, func(t *testing.T) {
				w := newWorld(t)
				set(t, metadataServer(t, w))
				w.options.Ambient = nil
				w.options.HTTPClient = &http.Client{Transport: detour{w.cloud.RoundTripper(), &http.Transport{DisableKeepAlives: true}}}
				if err := w.try(t, role); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
