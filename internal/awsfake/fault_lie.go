package awsfake

import (
	"bytes"
	"net/http"
	"time"
)

// instead is the answer of somebody who never asks the service, nil where the service answers.
func (f *faults) instead(k FaultKind, t target) *response {
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
		return f.storedFor(t)
	default:
		return nil
	}
}

// distorted is a true answer on its way through the liar.
func (f *faults) distorted(k FaultKind, t target, res *response) (*response, error) {
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
		return res, f.storeFor(t, res)
	}
	return res, nil
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

// storedFor is the answer that was stored of the request's operation, for another key; nil for none.
func (f *faults) storedFor(t target) *response {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.stored[t.operation]
	if !ok || s.about == t.about() || !s.at.Before(t.at) {
		return nil
	}
	res := answer(s.status)
	res.header, res.size = s.header.Clone(), s.size
	if s.body != nil {
		res.body = bytes.NewReader(s.body)
	}
	return res
}

func (f *faults) storeFor(t target, res *response) error {
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
	f.stored[t.operation] = stored{t.about(), t.at, res.status, res.header.Clone(), body, res.size}
	return nil
}
