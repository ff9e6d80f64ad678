package awsfake

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
)

// countsPath answers the request counts as JSON to anyone. No bucket has a name this short.
const countsPath = "/-/requests"

// ServeHTTP is the listener door. No cleaning multiplexer may stand before it: keys are bytes.
func (c *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) { door{cloud: c}.ServeHTTP(w, r) }

// RoundTripper is the in-memory door: a request is served on the goroutine that sends it, and its
// answer's body is made while it is read. It uses no socket and starts no goroutine, so that it works
// inside a testing/synctest bubble. Besides path-style it takes AWS's own host names
// ("b.s3.us-west-2.amazonaws.com"), as if it were AWS.
func (c *hub) RoundTripper() http.RoundTripper { return door{cloud: c} }

// door is a way into the cloud: through the internet, or through a VPC endpoint.
type door struct {
	cloud    *hub
	endpoint *Endpoint
}

func (d door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	res, err := d.serve(r)
	if err != nil {
		panic(http.ErrAbortHandler) // the way net/http breaks a connection
	}
	header := w.Header()
	maps.Copy(header, res.header)
	if res.size >= 0 && (res.body != nil || r.Method == http.MethodHead) {
		header.Set("Content-Length", strconv.FormatInt(res.size, 10))
	}
	w.WriteHeader(res.status)
	if res.body == nil || r.Method == http.MethodHead {
		return
	}
	if n, err := io.Copy(w, res.body); err != nil || res.size >= 0 && n != res.size {
		panic(http.ErrAbortHandler)
	}
}

func (d door) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }()
	}
	res, err := d.serve(r)
	if err != nil {
		return nil, err
	}
	out := &http.Response{
		Status: strconv.Itoa(res.status) + " " + http.StatusText(res.status), StatusCode: res.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: res.header, ContentLength: res.size, Body: http.NoBody, Request: r,
	}
	if res.size >= 0 {
		out.Header.Set("Content-Length", strconv.FormatInt(res.size, 10)) // which the SDK reads the size of an object from
	}
	if res.body != nil && r.Method != http.MethodHead {
		out.Body = io.NopCloser(&contextReader{ctx: r.Context(), r: res.body})
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

// serve answers one request. An error is one of the connection; refusals are answers.
func (d door) serve(r *http.Request) (*response, error) {
	c := d.cloud
	if r.URL.Path == countsPath && r.Method == http.MethodGet && !c.hostOwned(r) {
		return c.serveCounts()
	}
	q := &request{message: message{http: r}, cloud: c, endpoint: d.endpoint, id: strings.ToUpper(c.random.hex(8)), extra: http.Header{}}
	readErr := q.read()
	c.counts.add(q.operation, q.bucket)
	ctx := r.Context()
	if err := pause(ctx, c.latencyNow()); err != nil {
		return nil, err
	}
	t := q.target()
	kind := strike(c.faults.hitting(t, c.random.float))
	t.at = c.now() // a fault may have turned the clock
	if res := c.faults.instead(kind, t); res != nil {
		return res, nil
	}
	res, err := q.answer(ctx, readErr, kind)
	if err != nil {
		return nil, err
	}
	q.finish(res)
	c.log.DebugContext(ctx, "request answered", "service", q.service, "operation", q.operation,
		"bucket", q.bucket, "key", q.key, "status", res.status)
	t.at = c.now()
	return c.faults.after(kind, t, res)
}

// answer serves the request unless reading it or a fault already decided the answer.
func (q *request) answer(ctx context.Context, readErr error, kind FaultKind) (*response, error) {
	res, err := (*response)(nil), readErr
	if err == nil {
		q.ignoresConditions = kind == IgnoreConditions
		err = kind.refusal(ctx, q.target())
	}
	if err == nil {
		res, err = q.dispatch()
	}
	if err == nil {
		return res, nil
	}
	if broken, ok := errors.AsType[*connectionError](err); ok {
		return nil, broken.err
	}
	if refused, ok := errors.AsType[*apiError](err); ok {
		if refused.isThrottling() {
			q.cloud.counts.addThrottled(q.operation)
		}
		return q.refusal(refused), nil
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return q.refusal(refuse(http.StatusBadRequest, "IncompleteBody",
			"You did not provide the number of bytes specified by the Content-Length HTTP header")), nil
	}
	if ctx.Err() != nil {
		return nil, err
	}
	return q.refusal(errInternal(err)), nil
}

func (c *hub) serveCounts() (*response, error) {
	body, err := json.Marshal(c.Requests())
	if err != nil {
		return nil, err
	}
	res := answer(http.StatusOK)
	res.header.Set("Content-Type", "application/json")
	res.setBody(body)
	return res, nil
}

// target is the request as faults see it.
func (q *request) target() target {
	return target{
		operation: q.operation, bucket: q.bucket, key: q.key, prefix: q.query.Get("prefix"), protocol: q.protocol, header: q.http.Header,
	}
}

// hostOwned reports whether the host of a request says something to a service, so that the path is not the fake's own.
func (c *hub) hostOwned(r *http.Request) bool {
	return slices.ContainsFunc(c.services, func(s service) bool { return s.ownsHost != nil && s.ownsHost(r) })
}

// refusal is the answer to a request that met an error.
func (q *request) refusal(e *apiError) *response {
	a := asker{protocol: q.protocol, method: q.http.Method, id: q.id, namespace: foreignNamespace}
	if q.to != nil {
		a.namespace = q.to.namespace
	}
	return a.refusal(e)
}

// foreignNamespace is that of refusals for services that the fake does not have.
const foreignNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// finish puts on the headers that every answer has.
func (q *request) finish(res *response) {
	h := res.header
	h.Set("Date", q.cloud.now().UTC().Format(http.TimeFormat))
	maps.Copy(h, q.extra)
	if q.to != nil && q.to.seal != nil {
		q.to.seal(q, h)
		return
	}
	h.Set("X-Amzn-Requestid", q.id)
}

func (q *request) dispatch() (*response, error) {
	if err := q.authenticate(); err != nil {
		return nil, err
	}
	q.learn()
	return q.to.serve(q)
}

// RoundTrip serves a request as [hub.RoundTripper] does.
func (e *Endpoint) RoundTrip(r *http.Request) (*http.Response, error) {
	return door{e.cloud, e}.RoundTrip(r)
}

// ServeHTTP serves a request as [hub.ServeHTTP] does.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	door{e.cloud, e}.ServeHTTP(w, r)
}

var (
	_ http.RoundTripper = (*Endpoint)(nil)
	_ http.Handler      = (*Endpoint)(nil)
)
