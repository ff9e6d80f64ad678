package awsfake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// countsPath answers the request counts as JSON to anyone. No bucket has a name this short.
const countsPath = "/-/requests"

// maxControlBody bounds the bodies that are read whole: forms, JSON and XML. The largest is the part
// list of CompleteMultipartUpload, 10,000 parts with a checksum each.
const maxControlBody = 8 << 20

// request is one HTTP request on its way through the services.
type request struct {
	cloud *Cloud
	http  *http.Request
	id    string
	path  string // as it was sent, still escaped
	query url.Values

	endpoint           *Endpoint // nil: through the internet
	service, operation string
	charged            bool         // the requester pays
	ignoresConditions  bool         // of writes
	bucket, key        string       // of S3; an access point by its ARN or alias
	point              *AccessPoint // nil: none is in the way to the bucket
	body               []byte       // of those and KMS
	form               url.Values   // of STS, IAM and CloudFormation

	signature *signature
	region    string // that the request was signed for
	caller    *credential
	facts     map[string][]string // context keys
}

// response is an answer whose body is pulled by whoever stands at the door.
type response struct {
	status int
	header http.Header
	body   io.Reader // nil: none
	size   int64     // of the body, -1 for unknown; of a HEAD, what GET would send
}

func (res *response) setBody(b []byte) {
	res.body, res.size = bytes.NewReader(b), int64(len(b))
}

func (res *response) setXML(x *xmlWriter) {
	res.header.Set("Content-Type", "application/xml")
	res.setBody(x.bytes())
}

// ServeHTTP is the listener door. No cleaning multiplexer may stand before it: keys are bytes.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) { door{cloud: c}.ServeHTTP(w, r) }

// RoundTripper is the in-memory door: a request is served on the goroutine that sends it, and its
// answer's body is made while it is read. It uses no socket and starts no goroutine, so that it works
// inside a testing/synctest bubble. Besides path-style it takes AWS's own host names
// ("b.s3.us-west-2.amazonaws.com"), as if it were AWS.
func (c *Cloud) RoundTripper() http.RoundTripper { return door{cloud: c} }

// door is a way into the cloud: through the internet, or through a VPC endpoint.
type door struct {
	cloud    *Cloud
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
	if r.URL.Path == countsPath && r.Method == http.MethodGet && c.pointOfHost(r)+bucketOfHost(r) == "" {
		return c.serveCounts()
	}
	q := &request{cloud: c, endpoint: d.endpoint, http: r, id: strings.ToUpper(c.random.hex(8))}
	readErr := q.read()
	c.counts.add(q.operation, q.bucket)
	ctx := r.Context()
	if err := pause(ctx, c.latencyNow()); err != nil {
		return nil, err
	}
	kind := strike(c.faults.hitting(q, c.random.float))
	if res := kind.instead(q); res != nil {
		return res, nil
	}
	res, err := q.answer(ctx, readErr, kind)
	if err != nil {
		return nil, err
	}
	q.seal(res)
	c.log.DebugContext(ctx, "request answered", "service", q.service, "operation", q.operation,
		"bucket", q.bucket, "key", q.key, "status", res.status)
	return kind.after(q, res)
}

// answer serves the request unless reading it or a fault already decided the answer.
func (q *request) answer(ctx context.Context, readErr error, kind FaultKind) (*response, error) {
	res, err := (*response)(nil), readErr
	if err == nil {
		err = kind.answer(ctx, q)
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

// seal puts on the headers that every answer has.
func (q *request) seal(res *response) {
	h := res.header
	h.Set("Date", q.cloud.now().UTC().Format(http.TimeFormat))
	if q.service == serviceS3 {
		h.Set("X-Amz-Request-Id", q.id)
		h.Set("X-Amz-Id-2", hostID(q.id))
		h.Set("Server", "AmazonS3")
		if q.charged {
			h.Set("X-Amz-Request-Charged", "requester")
		}
		return
	}
	h.Set("X-Amzn-Requestid", q.id)
}

func (q *request) dispatch() (*response, error) {
	if err := q.authenticate(); err != nil {
		return nil, err
	}
	q.learn()
	switch q.service {
	case serviceSTS:
		return q.serveSTS()
	case serviceIAM:
		return q.serveIAM()
	case serviceCloudFormation:
		return q.serveCloudFormation()
	case serviceKMS:
		return q.serveKMS()
	}
	return q.serveS3()
}

// read finds out what the request is, before anyone asks whether it may be.
func (q *request) read() error {
	r := q.http
	q.service = q.findService()
	q.path = r.URL.EscapedPath()
	if strings.HasPrefix(r.RequestURI, "/") {
		q.path, _, _ = strings.Cut(r.RequestURI, "?")
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return errInvalidArgument("The query string could not be parsed")
	}
	q.query = query
	switch q.protocol() {
	case queryForm:
		err = q.readForm()
	case awsJSON:
		_, q.operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		q.body, err = readWhole(r.Body)
	case restXML:
		if q.service == serviceS3 {
			err = q.readS3()
		}
	}
	if err == nil && !slices.Contains([]string{serviceS3, serviceSTS, serviceIAM, serviceKMS, serviceCloudFormation}, q.service) {
		q.operation = strings.TrimSuffix(q.service+" "+q.operation, " ")
		return errNotImplemented(q.operation)
	}
	return err
}

// readForm reads a request of the query protocol.
func (q *request) readForm() error {
	body, err := readWhole(q.http.Body)
	if err != nil {
		return err
	}
	q.body = body
	if q.form, err = url.ParseQuery(string(body)); err != nil {
		return refuse(http.StatusBadRequest, "MalformedQueryString", "The query string contains a syntax error")
	}
	q.operation = q.form.Get("Action")
	return nil
}

// findService goes by the signature's scope: one endpoint answers for all. S3 has several names, such as that of its access points.
func (q *request) findService() string {
	scope := q.http.URL.Query().Get("X-Amz-Credential")
	if scope == "" {
		_, scope, _ = strings.Cut(q.http.Header.Get("Authorization"), "Credential=")
		scope, _, _ = strings.Cut(scope, ",")
	}
	if parts := strings.Split(scope, "/"); len(parts) == 5 && !strings.HasPrefix(parts[3], serviceS3) {
		return parts[3]
	}
	if strings.HasPrefix(q.http.Header.Get("X-Amz-Target"), "TrentService.") {
		return serviceKMS
	}
	return serviceS3
}

func readWhole(r io.Reader) ([]byte, error) {
	if r == nil {
		return nil, nil
	}
	b, err := io.ReadAll(io.LimitReader(r, maxControlBody+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxControlBody {
		return nil, refuse(http.StatusBadRequest, "MaxMessageLengthExceeded", "Your request was too large.")
	}
	return b, nil
}

func (c *Cloud) serveCounts() (*response, error) {
	body, err := json.Marshal(c.Requests())
	if err != nil {
		return nil, err
	}
	res := &response{status: http.StatusOK, header: http.Header{"Content-Type": {"application/json"}}}
	res.setBody(body)
	return res, nil
}
