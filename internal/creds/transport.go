package creds

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"syncd/internal/awserr"
)

// maxHeader bounds the header of an answer, of which an object's metadata takes 2 KB at most
// (Amazon S3 User Guide, "Working with object metadata").
const maxHeader = 64 << 10

// dialTimeout is how long a connection may take to be made. It is well below what a request may
// take, so that its error says that there was none.
const dialTimeout = 10 * time.Second

// buildable is the SDK's client with as many idle connections, so that none is closed between two
// requests. How many there may be at once is for the callers to bound: requests of one mapping that
// hang must not take those of another.
func buildable(connections int, proxy func(*http.Request) (*url.URL, error), tune func(*http.Transport)) *awshttp.BuildableClient {
	dial := func(d *net.Dialer) { d.Timeout = dialTimeout }
	return awshttp.NewBuildableClient().WithDialerOptions(dial).WithTransportOptions(func(t *http.Transport) {
		t.Proxy = proxy
		t.MaxIdleConnsPerHost = max(t.MaxIdleConnsPerHost, connections)
		t.MaxIdleConns = max(t.MaxIdleConns, connections)
		t.MaxConnsPerHost = 0
		t.MaxResponseHeaderBytes = maxHeader
		t.OnProxyConnectResponse = refusedConnect
		if tune != nil {
			tune(t)
		}
	})
}

// singleClient returns the one client that all service clients share: each would clone a buildable
// one, with a pool of its own.
func singleClient(transport *http.Transport) *http.Client {
	return &http.Client{Transport: http11{transport}, CheckRedirect: stay}
}

// stay keeps a client from following a redirect, which the SDK does for 307 and 308, to any host: a
// request is signed for one place, and what it carries is for that place alone. S3 redirects for a
// bucket of another region, which the error then says.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// http11 gives requests the version of HTTP that they speak at least. The SDK makes them without
// one, and net/http lets only a body of HTTP/1.1 or later wait for the "100 Continue" that the SDK
// asks for from 2 MiB on (RFC 9110, section 10.1.1). Else a body that is refused unread breaks the
// connection, and the refusal is lost with it. HTTP/2 asks for no version.
type http11 struct{ next http.RoundTripper }

// RoundTrip sends the request.
func (h http11) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.WithContext(r.Context()) // a copy: the request is not this one's to change
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	return h.next.RoundTrip(r)
}

// refusedConnect turns a proxy's refusal to connect into an error that names the proxy.
func refusedConnect(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &awserr.ProxyError{Proxy: awserr.EndpointOf(proxy), Status: answer.StatusCode}
}
