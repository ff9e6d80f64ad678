package core

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"syncd/internal/awsfake/fault"
	"syncd/internal/awsfake/signature"
	"syncd/internal/awsfake/wire"
)

// countsPath is the path that serves the request counts as JSON, without authentication. It cannot
// be a bucket's path, because bucket names are longer.
const countsPath = "/-/requests"

// ServeHTTP is the entry point of a listener. Do not put a multiplexer that cleans paths in front
// of it: keys are arbitrary bytes.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) { entry{cloud: c}.ServeHTTP(w, r) }

// RoundTripper returns the in-memory entry point. It serves a request on the goroutine that sends
// it, and generates the response's body while the client reads it. It uses no socket and starts no
// goroutine, so that it works inside a testing/synctest bubble. In addition to path-style addresses
// it accepts AWS's own host names ("b.s3.us-west-2.amazonaws.com").
func (c *Cloud) RoundTripper() http.RoundTripper { return entry{cloud: c} }

// entry is an entry point of the cloud: from the internet, or through a VPC endpoint.
type entry struct {
	cloud    *Cloud
	endpoint *Endpoint
}

func (e entry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	res, err := e.serve(r)
	if err != nil {
		panic(http.ErrAbortHandler) // makes net/http break the connection
	}
	header := w.Header()
	maps.Copy(header, res.Header)
	if res.Size >= 0 && (res.Body != nil || r.Method == http.MethodHead) {
		header.Set("Content-Length", strconv.FormatInt(res.Size, 10))
	}
	w.WriteHeader(res.Status)
	if res.Body == nil || r.Method == http.MethodHead {
		return
	}
	if n, err := io.Copy(w, res.Body); err != nil || res.Size >= 0 && n != res.Size {
		panic(http.ErrAbortHandler)
	}
}

func (e entry) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	res, err := e.serve(r)
	if err != nil {
		return nil, err
	}
	out := &http.Response{
		Status: strconv.Itoa(res.Status) + " " + http.StatusText(res.Status), StatusCode: res.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: res.Header, ContentLength: res.Size, Body: http.NoBody, Request: r,
	}
	if res.Size >= 0 {
		out.Header.Set("Content-Length", strconv.FormatInt(res.Size, 10)) // the SDK reads the size of an object from it
	}
	if res.Body != nil && r.Method != http.MethodHead {
		out.Body = io.NopCloser(&contextReader{ctx: r.Context(), r: res.Body})
	}
	return out, nil
}

// contextReader stops when the request's context ends, as a connection would.
type contextReader struct {
	ctx context.Context //nolint:containedctx // the reader lives exactly as long as the request whose context this is
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// serve answers one request. An error means that the connection breaks; AWS errors are responses.
func (e entry) serve(r *http.Request) (*wire.Response, error) {
	c := e.cloud
	if r.URL.Path == countsPath && r.Method == http.MethodGet && !c.hostOwned(r) {
		return c.serveCounts()
	}
	q := &Request{Message: signature.Message{HTTP: r}, Cloud: c, Endpoint: e.endpoint, ID: strings.ToUpper(c.Random.Hex(8))}
	readErr := q.read()
	c.counts.add(q.Operation, q.Bucket)
	ctx := r.Context()
	if err := pause(ctx, c.latencyNow()); err != nil {
		return nil, err
	}
	t := q.target()
	kind := fault.Strike(c.faults.Hitting(t, c.Random.Float))
	t.At = c.Now() // a fault may have moved the clock
	if res := c.faults.Instead(kind, t); res != nil {
		return res, nil
	}
	res, err := q.answer(ctx, readErr, kind)
	if err != nil {
		return nil, err
	}
	q.finish(res)
	c.log.DebugContext(ctx, "request answered", "service", q.Service, "operation", q.Operation,
		"bucket", q.Bucket, "key", q.Key, "status", res.Status)
	t.At = c.Now()
	return c.faults.After(kind, t, res)
}

// answer serves the request unless reading it has failed or a fault determines the response.
func (q *Request) answer(ctx context.Context, readErr error, kind fault.Kind) (*wire.Response, error) {
	res, err := (*wire.Response)(nil), readErr
	if err == nil {
		q.IgnoresConditions = kind == fault.IgnoreConditions
		err = kind.Refusal(ctx, q.target())
	}
	if err == nil {
		res, err = q.dispatch()
	}
	if err == nil {
		return res, nil
	}
	if broken, ok := errors.AsType[*fault.ConnectionError](err); ok {
		return nil, broken.Err
	}
	if refused, ok := errors.AsType[*wire.Error](err); ok {
		if refused.IsThrottling() {
			q.Cloud.counts.addThrottled(q.Operation)
		}
		return q.refusal(refused), nil
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return q.refusal(wire.Refuse(http.StatusBadRequest, "IncompleteBody",
			"You did not provide the number of bytes specified by the Content-Length HTTP header")), nil
	}
	if ctx.Err() != nil {
		return nil, err
	}
	return q.refusal(wire.ErrInternal(err)), nil
}

func (c *Cloud) serveCounts() (*wire.Response, error) {
	body, err := json.Marshal(c.Requests())
	if err != nil {
		return nil, err
	}
	res := wire.Answer(http.StatusOK)
	res.Header.Set("Content-Type", "application/json")
	res.SetBody(body)
	return res, nil
}

// target describes the request to the faults.
func (q *Request) target() fault.Target {
	return fault.Target{
		Operation: q.Operation, Bucket: q.Bucket, Key: q.Key, Prefix: q.Query.Get("prefix"), Protocol: q.Protocol, Header: q.HTTP.Header,
	}
}

// hostOwned reports whether the request's host name belongs to a service, as "b.s3.amazonaws.com"
// does. That service interprets the path of the request, so that countsPath has no meaning there.
func (c *Cloud) hostOwned(r *http.Request) bool {
	return slices.ContainsFunc(c.services, func(s Service) bool { return s.OwnsHost != nil && s.OwnsHost(r) })
}

// refusal returns the response for an error.
func (q *Request) refusal(e *wire.Error) *wire.Response {
	a := wire.Asker{Protocol: q.Protocol, Method: q.HTTP.Method, ID: q.ID, Namespace: foreignNamespace}
	if q.to != nil {
		a.Namespace = q.to.Namespace
	}
	return a.Refusal(e)
}

// foreignNamespace is the XML namespace of errors for services that the fake does not implement.
const foreignNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// finish sets the headers that every response has.
func (q *Request) finish(res *wire.Response) {
	h := res.Header
	h.Set("Date", q.Cloud.Now().UTC().Format(http.TimeFormat))
	maps.Copy(h, q.extra)
	if q.to != nil && q.to.Seal != nil {
		q.to.Seal(q, h)
		return
	}
	h.Set("X-Amzn-Requestid", q.ID)
}

func (q *Request) dispatch() (*wire.Response, error) {
	if err := q.authenticate(); err != nil {
		return nil, err
	}
	q.learn()
	return q.to.Serve(q)
}

// RoundTrip serves a request as [Cloud.RoundTripper] does.
func (e *Endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	return entry{e.cloud, e}.RoundTrip(r)
}

// ServeHTTP serves a request as [Cloud.ServeHTTP] does.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	entry{e.cloud, e}.ServeHTTP(w, r)
}

var (
	_ http.RoundTripper = (*Endpoint)(nil)
	_ http.Handler      = (*Endpoint)(nil)
)
