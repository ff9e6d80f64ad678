package awsfake_test

import (
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// manualClock is a clock that a test turns.
type manualClock struct{ atomic.Int64 }

func (c *manualClock) now() time.Time          { return time.Unix(0, c.Load()) }
func (c *manualClock) advance(d time.Duration) { c.Add(int64(d)) }

// signed is a request as an SDK client would sign it.
func signed(tb testing.TB, c aws.Config, method, url string, header map[string]string) *http.Request {
	tb.Helper()
	return signedFor(tb, c, region, method, url, header)
}

func signedFor(tb testing.TB, c aws.Config, region, method, url string, header map[string]string) *http.Request {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), method, url, nil)
	if err != nil {
		tb.Fatal(err)
	}
	for k, v := range header {
		r.Header.Set(k, v)
	}
	credentials, err := c.Credentials.Retrieve(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	hash := fmt.Sprintf("%x", sha256.Sum256(nil))
	if r.Header.Get("X-Amz-Content-Sha256") != "" {
		hash = r.Header.Get("X-Amz-Content-Sha256")
	}
	r.Header.Set("X-Amz-Content-Sha256", hash)
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err := signer.SignHTTP(tb.Context(), credentials, r, hash, "s3", region, time.Now()); err != nil {
		tb.Fatal(err)
	}
	return r
}

// raw is an answer without an SDK in between.
type raw struct {
	status int
	header http.Header
	body   string
	code   string // of an <Error>
}

func (r raw) String() string {
	if r.code != "" {
		return fmt.Sprintf("%d %s", r.status, r.code)
	}
	return fmt.Sprintf("%d %s", r.status, r.body)
}

// roundTrip sends a request through the in-memory door.
func roundTrip(tb testing.TB, w *world, r *http.Request) raw {
	tb.Helper()
	res, err := w.cloud.RoundTripper().RoundTrip(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	var refusal struct {
		XMLName xml.Name
		Code    string
	}
	out := raw{status: res.StatusCode, header: res.Header, body: string(body)}
	if xml.Unmarshal(body, &refusal) == nil && refusal.XMLName.Local == "Error" {
		out.code = refusal.Code
	}
	return out
}
