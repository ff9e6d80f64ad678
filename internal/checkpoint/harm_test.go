package checkpoint_test

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// harm is what happens to one request of a story.
type harm string

const (
	refused harm = "is not sent"
	lost    harm = "has effect, but its answer is lost"
	cut     harm = "has effect, but its answer is cut"
)

// harming is a transport that harms one request and may then be dead for good.
type harming struct {
	next   http.RoundTripper
	harm   harm
	at     int  // which request, from 1
	killed bool // whether nothing gets through from then on
	mu     sync.Mutex
	n      int
	what   string // the request that was harmed
}

func (h *harming) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	h.n++
	n := h.n
	if n == h.at {
		h.what = operation(r)
	}
	h.mu.Unlock()
	if n < h.at || n > h.at && !h.killed {
		return h.next.RoundTrip(r)
	}
	if n > h.at || h.harm == refused {
		return nil, errBroken
	}
	res, err := h.next.RoundTrip(r)
	if err != nil || h.harm == lost {
		return nil, errors.Join(err, errBroken)
	}
	res.Body = cutBody{res.Body}
	return res, nil
}

// cutBody breaks at once.
type cutBody struct{ io.ReadCloser }

func (cutBody) Read([]byte) (int, error) { return 0, errBroken }
