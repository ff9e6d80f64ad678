package s3test

import (
	"errors"
	"io"
	"net/http"
	"sync"

	"syncd/internal/checkpoint/checkpointtest"
)

// Harm is the way in which a request fails.
type Harm string

// The possible failures.
const (
	Refused Harm = "is not sent"
	Lost    Harm = "takes effect, but its response is lost"
	Cut     Harm = "takes effect, but its response is cut"
)

// Harming is a transport that fails one request, and optionally all later requests.
type Harming struct {
	Next   http.RoundTripper
	Harm   Harm
	At     int  // number of the request that fails, from 1
	Killed bool // whether all later requests fail too

	mu   sync.Mutex
	N    int    // number of requests so far
	What string // the request that failed
}

// RoundTrip sends a request, or makes it fail.
func (h *Harming) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	h.N++
	n := h.N
	if n == h.At {
		h.What = operation(r)
	}
	h.mu.Unlock()
	if n < h.At || n > h.At && !h.Killed {
		return h.Next.RoundTrip(r)
	}
	if n > h.At || h.Harm == Refused {
		return nil, checkpointtest.ErrBroken
	}
	res, err := h.Next.RoundTrip(r)
	if err != nil || h.Harm == Lost {
		return nil, errors.Join(err, checkpointtest.ErrBroken)
	}
	res.Body = cutBody{res.Body}
	return res, nil
}

// cutBody fails on the first read.
type cutBody struct{ io.ReadCloser }

func (cutBody) Read([]byte) (int, error) { return 0, checkpointtest.ErrBroken }
