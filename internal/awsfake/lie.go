package awsfake

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"time"
)

// Lies returns the kinds of fault that are answers which are not true, or not those of the service: what a proxy, a gateway, a
// cache or a server of another make between a client and the service may answer.
func Lies() []FaultKind {
	return []FaultKind{
		ForeignPage, EmptyAnswer, BareHeaders, HalfAnswer, NoETag, OtherETag, OtherAnswer, ForeignNotFound, NotFound, Conflict, PreconditionFailed,
		NotImplemented,
	}
}

// String names the lies.
func (k FaultKind) String() string {
	return map[FaultKind]string{
		ForeignPage: "foreign page", EmptyAnswer: "empty answer", BareHeaders: "headers without a body", HalfAnswer: "half a body",
		NoETag: "no ETag", OtherETag: "ETag of another version", OtherAnswer: "answer for another key", ForeignNotFound: "foreign 404",
		NotFound: "404", Conflict: "409", PreconditionFailed: "412", NotImplemented: "501",
	}[k]
}

// instead is the answer of somebody who never asks the service, nil where the service answers.
func (k FaultKind) instead(q *request) *response {
	page := func(status int, text string) *response {
		res := answer(status)
		res.header.Set("Content-Type", "text/html")
		res.setBody([]byte(text))
		return res
	}
	switch k { //nolint:exhaustive // the kinds that are not of the service
	case ForeignPage:
		return page(http.StatusOK, "<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>Please sign in.</body></html>")
	case ForeignNotFound:
		return page(http.StatusNotFound, "<html><head><title>404 Not Found</title></head><body>404 Not Found</body></html>")
	case EmptyAnswer:
		res := answer(http.StatusOK)
		res.setBody(nil)
		return res
	case OtherAnswer:
		return q.cloud.faults.storedFor(q)
	default:
		return nil
	}
}

// distorted is a true answer on its way through the liar.
func (k FaultKind) distorted(q *request, res *response) (*response, error) {
	switch k { //nolint:exhaustive // the kinds that change an answer
	case BareHeaders:
		res.body, res.size = nil, 0
	case HalfAnswer:
		whole, err := res.whole()
		if err != nil {
			return nil, err
		}
		res.setBody(whole[:len(whole)/2])
	case NoETag:
		return res, res.replaceETags("", "")
	case OtherETag:
		return res, res.replaceETags(`"5d41402abc4b2a76b9719d911017c592"`, "<ETag>&quot;5d41402abc4b2a76b9719d911017c592&quot;</ETag>")
	case OtherAnswer:
		return res, q.cloud.faults.storeFor(q, res)
	}
	return res, nil
}

func (res *response) whole() ([]byte, error) {
	if res.body == nil {
		return nil, nil
	}
	return io.ReadAll(res.body)
}

var etagElement = regexp.MustCompile(`<ETag>[^<]*</ETag>`)

// replaceETags puts another ETag in the place of all, in the header and in the body.
func (res *response) replaceETags(header, element string) error {
	if res.header.Get("Etag") != "" {
		res.header.Set("Etag", header)
	}
	if header == "" {
		res.header.Del("Etag")
	}
	if res.header.Get("Content-Type") != "application/xml" {
		return nil
	}
	whole, err := res.whole()
	res.setBody(etagElement.ReplaceAll(whole, []byte(element)))
	return err
}

// stored is an answer that is given again.
type stored struct {
	about  string
	at     time.Time
	status int
	header http.Header
	body   []byte
	size   int64
}

// about is what the request is about: an object, or what begins with a prefix.
func about(q *request) string { return q.bucket + "/" + q.key + "?" + q.query.Get("prefix") }

// storedFor is the answer that was stored of the request's operation, for another key; nil for none.
func (f *faults) storedFor(q *request) *response {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.stored[q.operation]
	if !ok || s.about == about(q) || !s.at.Before(q.cloud.now()) {
		return nil
	}
	res := answer(s.status)
	res.header, res.size = s.header.Clone(), s.size
	if s.body != nil {
		res.body = bytes.NewReader(s.body)
	}
	return res
}

func (f *faults) storeFor(q *request, res *response) error {
	var body []byte
	if res.body != nil {
		var err error
		if body, err = res.whole(); err != nil {
			return err
		}
		res.body = bytes.NewReader(body)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stored == nil {
		f.stored = map[string]stored{}
	}
	f.stored[q.operation] = stored{about(q), q.cloud.now(), res.status, res.header.Clone(), body, res.size}
	return nil
}
