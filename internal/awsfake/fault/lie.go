package fault

import (
	"bytes"
	"net/http"
	"time"

	"syncd/internal/awsfake/wire"
)

// Instead returns the response if the lie answers in place of the service, or nil if the service
// must answer.
func (f *Faults) Instead(k Kind, t Target) *wire.Response {
	page := func(status int, text string) *wire.Response {
		res := wire.Answer(status)
		res.Header.Set("Content-Type", "text/html")
		res.SetBody([]byte(text))
		return res
	}
	switch k { //nolint:exhaustive // only the kinds that answer without the service
	case ForeignPage:
		return page(http.StatusOK, "<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>Please sign in.</body></html>")
	case ForeignNotFound:
		return page(http.StatusNotFound, "<html><head><title>404 Not Found</title></head><body>404 Not Found</body></html>")
	case EmptyAnswer:
		res := wire.Answer(http.StatusOK)
		res.SetBody(nil)
		return res
	case OtherAnswer:
		return f.storedFor(t)
	default:
		return nil
	}
}

// distorted returns the response as changed by a lie.
func (f *Faults) distorted(k Kind, t Target, res *wire.Response) (*wire.Response, error) {
	switch k { //nolint:exhaustive // only the kinds that change a response
	case BareHeaders:
		res.Body, res.Size = nil, 0
	case HalfAnswer:
		whole, err := res.Whole()
		if err != nil {
			return nil, err
		}
		res.SetBody(whole[:len(whole)/2])
	case NoETag:
		return res, res.ReplaceETags("", "")
	case OtherETag:
		return res, res.ReplaceETags(`"5d41402abc4b2a76b9719d911017c592"`, "<ETag>&quot;5d41402abc4b2a76b9719d911017c592&quot;</ETag>")
	case OtherAnswer:
		return res, f.storeFor(t, res)
	}
	return res, nil
}

// stored is a response that OtherAnswer can repeat for a later request.
type stored struct {
	about  string
	at     time.Time
	status int
	header http.Header
	body   []byte
	size   int64
}

// storedFor returns a stored response to the same operation for another key, or nil if there is
// none.
func (f *Faults) storedFor(t Target) *wire.Response {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.stored[t.Operation]
	if !ok || s.about == t.about() || !s.at.Before(t.At) {
		return nil
	}
	res := wire.Answer(s.status)
	res.Header, res.Size = s.header.Clone(), s.size
	if s.body != nil {
		res.Body = bytes.NewReader(s.body)
	}
	return res
}

func (f *Faults) storeFor(t Target, res *wire.Response) error {
	var body []byte
	if res.Body != nil {
		var err error
		if body, err = res.Whole(); err != nil {
			return err
		}
		res.Body = bytes.NewReader(body)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stored == nil {
		f.stored = map[string]stored{}
	}
	f.stored[t.Operation] = stored{t.about(), t.At, res.Status, res.Header.Clone(), body, res.Size}
	return nil
}
