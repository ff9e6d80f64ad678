package creds_test

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awserr"
	"syncd/internal/creds"
)

const (
	mib = 1 << 20
	// waits is the size of a body from which the SDK waits for "100 Continue" before sending it
	// (Options.ContinueHeaderThresholdBytes).
	waits = 2 * mib
)

// service starts a TLS server, optionally with HTTP/2, for the client of a Set.
func service(t *testing.T, http2 bool, answer http.HandlerFunc) *s3.Client {
	t.Helper()
	server := httptest.NewUnstartedServer(answer)
	server.EnableHTTP2 = http2
	startTLS(t, server)
	return clientOf(t, server, creds.Options{})
}

// startTLS starts a server and makes the SDK trust it until the test ends.
func startTLS(t *testing.T, server *httptest.Server) {
	t.Helper()
	alone(t)
	server.StartTLS()
	t.Cleanup(server.Close)
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(bundle, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", bundle)
}

// clientOf returns the client of a new Set.
func clientOf(t *testing.T, server *httptest.Server, o creds.Options) *s3.Client {
	t.Helper()
	o.Ambient = credentials.NewStaticCredentialsProvider("id", "key", "")
	set, err := creds.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := set.Config("", region)
	if err != nil {
		t.Fatal(err)
	}
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle, o.BaseEndpoint = true, &server.URL })
}

// content is a body that counts the bytes read from it.
type content struct {
	*bytes.Reader
	taken int
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.taken += n
	return n, err
}

// put sends a body and returns how many bytes were read from it.
func put(t *testing.T, client *s3.Client, size int) (taken int, err error) {
	t.Helper()
	body := &content{Reader: bytes.NewReader(make([]byte, size))}
	_, err = client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("data"), Key: aws.String("k"), Body: body, ContentLength: aws.Int64(int64(size)),
	})
	return body.taken, err
}

// TestRefusedBodyIsNotSent checks that the client sees the response immediately if a service
// refuses a large body without reading it. A client that was already sending the body would lose
// the response, because the connection breaks.
func TestRefusedBodyIsNotSent(t *testing.T) {
	for protocol, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		t.Run(protocol, func(t *testing.T) {
			var asked atomic.Int64
			client := service(t, http2, func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				if r.Proto != protocol {
					t.Errorf("got a request by %s, want %s", r.Proto, protocol)
				}
				w.WriteHeader(http.StatusForbidden)
				_, _ = io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
			})
			for _, size := range []int{waits, 3 * mib, 8 * mib} {
				asked.Store(0)
				taken, err := put(t, client, size)
				if awserr.Classify(err) != awserr.Denied || taken != 0 || asked.Load() != 1 {
					t.Errorf("%d bytes: got %v, %d bytes sent in %d requests, want class %q at once", size, err, taken, asked.Load(), awserr.Denied)
				}
			}
		})
	}
}

// TestSmallBodyIsSentAtOnce checks that small bodies do not wait for "100 Continue": a service that
// never sends it causes no delay.
func TestSmallBodyIsSentAtOnce(t *testing.T) {
	for size, want := range map[int]string{waits - 1: "", waits: "100-continue"} {
		client := service(t, false, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"written"`)
			if got := r.Header.Get("Expect"); got != want {
				t.Errorf("%d bytes: got Expect %q, want %q", size, got, want)
			}
			if n, err := io.Copy(io.Discard, r.Body); n < int64(size) || err != nil {
				t.Errorf("got %d bytes, %v, want all of %d", n, err, size)
			}
		})
		if _, err := put(t, client, size); err != nil {
			t.Error(err)
		}
	}
}

// TestRedirectIsNotFollowed checks that the client does not follow redirects of S3 and STS to
// another port of the same machine, whatever their status, and that the error names the redirect.
func TestRedirectIsNotFollowed(t *testing.T) {
	var strayed atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	t.Cleanup(elsewhere.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		client := service(t, false, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", elsewhere.URL+r.URL.Path)
			w.Header().Set("X-Amz-Bucket-Region", "eu-west-1")
			w.WriteHeader(status)
		})
		_, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("data"), Key: aws.String("k")})
		if awserr.Classify(err) != awserr.WrongRegion || !strings.Contains(awserr.Brief(err), "eu-west-1") {
			t.Errorf("%d: got class %q, %v, want the region named", status, awserr.Classify(err), awserr.Brief(err))
		}
		if _, err := put(t, client, 1); awserr.Classify(err) != awserr.WrongRegion {
			t.Errorf("%d: PutObject: got %v, want class %q", status, err, awserr.WrongRegion)
		}
	}
	if n := strayed.Load(); n != 0 {
		t.Errorf("got %d requests elsewhere, want none", n)
	}
}

// TestHeaderWithoutEnd checks that a response with headers of several megabytes is rejected.
func TestHeaderWithoutEnd(t *testing.T) {
	client := service(t, false, func(w http.ResponseWriter, _ *http.Request) {
		for i := range 100 {
			w.Header().Set(fmt.Sprintf("X-Amz-Meta-%d", i), strings.Repeat("x", 30<<10))
		}
	})
	_, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("data"), Key: aws.String("k")}, func(o *s3.Options) { o.RetryMaxAttempts = 1 })
	if awserr.Classify(err) != awserr.Transient || !strings.Contains(fmt.Sprint(err), "exceeded") {
		t.Errorf("got class %q, %v, want the header refused", awserr.Classify(err), err)
	}
}
