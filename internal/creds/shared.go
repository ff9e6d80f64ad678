package creds

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"weak"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/middleware"

	"syncd/internal/admit"
	"syncd/internal/awserr"
)

// Shared is what lies beneath the Sets of a process: the ambient configuration with its credentials, the pool of certificates, and the
// connections. Sets that ask for the same settings get the same. What no Set and no client uses any more is freed, and its idle
// connections are closed. The zero Shared is ready to use.
type Shared struct {
	mu     sync.Mutex
	loaded map[string]weak.Pointer[base] // by their settings
}

// base is an ambient configuration. It is the HTTP client of the clients made from it, so that it lives as long as they do.
type base struct {
	aws.HTTPClient
	config aws.Config
}

// base returns the one of these settings, which is loaded for the first that asks.
func (s *Shared) base(ctx context.Context, o Options) (*base, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := newPlain(o)
	settings := fmt.Sprintf("%d %t %q %t", o.Connections, p.allowed, slices.Compact(slices.Sorted(slices.Values(p.endpoints))), o.Ambient != nil)
	if b := s.loaded[settings].Value(); b != nil {
		return b, nil
	}
	b, err := load(ctx, o)
	if err != nil {
		return nil, err
	}
	if s.loaded == nil {
		s.loaded = map[string]weak.Pointer[base]{}
	}
	maps.DeleteFunc(s.loaded, func(_ string, old weak.Pointer[base]) bool { return old.Value() == nil })
	s.loaded[settings] = weak.Make(b)
	return b, nil
}

// load reads what the environment says.
func load(ctx context.Context, o Options) (*base, error) {
	options := []func(*awsconfig.LoadOptions) error{
		awsconfig.WithHTTPClient(buildable(o.Connections)), awsconfig.WithLogger(sdkLogger(o.Logger)), //nolint:contextcheck // the SDK gives no context to log with
		// The ambient credentials may be asked of STS, by clients that the SDK makes of this: the token of a service account is as
		// secret as what it is given for. What it answers is theirs to judge.
		awsconfig.WithAPIOptions([]func(*middleware.Stack) error{admit.Bound, newPlain(o).attach}),
	}
	if o.Ambient != nil {
		options = append(options, awsconfig.WithCredentialsProvider(o.Ambient))
	}
	loaded, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, &awserr.CredentialsError{Err: err, Hint: ambientHint}
	}
	b := &base{HTTPClient: loaded.HTTPClient, config: loaded}
	if buildable, ok := loaded.HTTPClient.(*awshttp.BuildableClient); ok {
		transport := buildable.GetTransport()
		b.HTTPClient = client(transport)
		// Idle connections would keep their memory for as long as they may idle.
		runtime.AddCleanup(b, (*http.Transport).CloseIdleConnections, transport)
	}
	return b, nil
}

// buildable is the SDK's client with as many idle connections, so that none is closed between two requests. How many there may be at
// once is for the callers to bound: requests of one mapping that hang must not take those of another.
func buildable(connections int) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.MaxIdleConnsPerHost = max(t.MaxIdleConnsPerHost, connections)
		t.MaxIdleConns = max(t.MaxIdleConns, connections)
		t.MaxConnsPerHost = 0
		t.MaxResponseHeaderBytes = maxHeader
	})
}

// client returns the one client that all service clients share: each would clone a buildable one, with a pool of its own.
func client(transport *http.Transport) *http.Client {
	return &http.Client{Transport: http11{transport}, CheckRedirect: stay}
}

// stay keeps a client from following a redirect, which the SDK does for 307 and 308, to any host: a request is signed for one place,
// and what it carries is for that place alone. S3 redirects for a bucket of another region, which the error then says.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// http11 gives requests the version of HTTP that they speak at least. The SDK makes them without one, and net/http lets only
// a body of HTTP/1.1 or later wait for the "100 Continue" that the SDK asks for from 2 MiB on (RFC 9110, section 10.1.1).
// Else a body that is refused unread breaks the connection, and the refusal is lost with it. HTTP/2 asks for no version.
type http11 struct{ next http.RoundTripper }

// RoundTrip sends the request.
func (h http11) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.WithContext(r.Context()) // a copy: the request is not this one's to change
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	return h.next.RoundTrip(r)
}
