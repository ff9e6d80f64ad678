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

// maxHeader limits the header of a response; an object's metadata takes at most 2 KB of it (Amazon
// S3 User Guide, "Working with object metadata").
const maxHeader = 64 << 10

// dialTimeout limits how long connecting may take. It is well below the limit of a request, so that
// the error shows that the connection failed.
const dialTimeout = 10 * time.Second

// buildable returns the SDK's client with enough idle connections that none is closed between two
// requests. The callers limit the number of connections, because hanging requests of one mapping
// must not block requests of another mapping.
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

// singleClient returns the HTTP client that all service clients share. Each of them would clone a
// buildable client, with its own connection pool.
func singleClient(transport *http.Transport) *http.Client {
	return &http.Client{Transport: http11{transport}, CheckRedirect: stay}
}

// stay keeps a client from following redirects. The SDK would follow 307 and 308 to any host, but a
// request is signed for one endpoint, and its content is only for that endpoint. S3 redirects
// requests for a bucket in another region, which the error then reports.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// http11 sets the HTTP version of requests, which the SDK leaves empty. net/http waits for "100
// Continue", which the SDK requests for bodies of 2 MiB and more (RFC 9110, section 10.1.1), only
// for HTTP/1.1 or later. Otherwise, if the service refuses a request without reading its body, the
// connection breaks and the response is lost. HTTP/2 ignores the version.
type http11 struct{ next http.RoundTripper }

// RoundTrip sends the request.
func (h http11) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.WithContext(r.Context()) // a copy: a RoundTripper must not modify the request
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
