package creds_test

import (
	"bytes"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	// waits is the size of a body from which on the SDK wants to hear whether it may send it (Options.ContinueHeaderThresholdBytes).
	waits = 2 * mib
)

// service answers over TLS, with HTTP/2 where that is wanted, by the client that a Set makes.
func service(t *testing.T, http2 bool, answer http.HandlerFunc) *s3.Client {
	t.Helper()
	alone(t)
	server := httptest.NewUnstartedServer(answer)
	server.EnableHTTP2 = http2
	server.StartTLS()
	t.Cleanup(server.Close)
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(bundle, certificate, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", bundle)
	set, err := creds.New(t.Context(), creds.Options{Ambient: credentials.NewStaticCredentialsProvider("id", "key", "")})
	if err != nil {
		t.Fatal(err)
	}
	c, err := set.Config("", region)
	if err != nil {
		t.Fatal(err)
	}
	return s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle, o.BaseEndpoint = true, &server.URL })
}

// content is a body that counts what is taken of it.
type content struct {
	*bytes.Reader
	taken int
}

func (c *content) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.taken += n
	return n, err
}

// put sends a body and returns how many bytes of it were taken to be sent.
func put(t *testing.T, client *s3.Client, size int) (taken int, err error) {
	t.Helper()
	body := &content{Reader: bytes.NewReader(make([]byte, size))}
	_, err = client.PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("data"), Key: aws.String("k"), Body: body, ContentLength: aws.Int64(int64(size)),
	})
	return body.taken, err
}

// TestRefusedBodyIsNotSent has a service refuse large bodies unread: that is heard at once, where under a body that nobody
// reads a connection breaks before its answer comes through.
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

// TestSmallBodyIsSentAtOnce has nothing to wait for: a service that never says whether to go on costs the small bodies no time.
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
