package awsfaketest

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

// ManualClock is a clock that only moves when a test calls Advance.
type ManualClock struct{ atomic.Int64 }

// Now returns the current time of the clock.
func (c *ManualClock) Now() time.Time { return time.Unix(0, c.Load()) }

// Advance moves the clock forward.
func (c *ManualClock) Advance(d time.Duration) { c.Add(int64(d)) }

// SignedRequest returns a request signed as an SDK client signs it.
func SignedRequest(tb testing.TB, c aws.Config, method, url string, header map[string]string) *http.Request {
	tb.Helper()
	return SignedRequestFor(tb, c, Region, method, url, header)
}

// SignedRequestFor is like [SignedRequest] but signs for the given Region.
func SignedRequestFor(tb testing.TB, c aws.Config, region, method, url string, header map[string]string) *http.Request {
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

// HTTPAnswer is an HTTP response that was not decoded by an SDK.
type HTTPAnswer struct {
	Status int
	Header http.Header
	Body   string
	Code   string // of an <Error>
}

func (r HTTPAnswer) String() string {
	if r.Code != "" {
		return fmt.Sprintf("%d %s", r.Status, r.Code)
	}
	return fmt.Sprintf("%d %s", r.Status, r.Body)
}

// RoundTrip sends a request through the in-memory entry point.
func RoundTrip(tb testing.TB, w *World, r *http.Request) HTTPAnswer {
	tb.Helper()
	res, err := w.Cloud.RoundTripper().RoundTrip(r)
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
	out := HTTPAnswer{Status: res.StatusCode, Header: res.Header, Body: string(body)}
	if xml.Unmarshal(body, &refusal) == nil && refusal.XMLName.Local == "Error" {
		out.Code = refusal.Code
	}
	return out
}
