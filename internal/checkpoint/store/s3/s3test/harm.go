package s3test

import (
	"errors"
	"io"
	"net/http"
	"sync"

	"syncd/internal/checkpoint/checkpointtest"
)

// Harm is what happens to one request of a story.
type Harm string

// The harms.
const (
	Refused Harm = "is not sent"
	Lost    Harm = "has effect, but its answer is lost"
	Cut     Harm = "has effect, but its answer is cut"
)

// Harming is a transport that harms one request and may then be dead for good.
type Harming struct {
	Next   http.RoundTripper
	Harm   Harm
	At     int  // which request, from 1
	Killed bool // whether nothing gets through from then on

	mu   sync.Mutex
	N    int    // how many requests there were
	What string // the request that was harmed
}

// RoundTrip sends a request, or harms it.
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

// cutBody breaks at once.
type cutBody struct{ io.ReadCloser }

func (cutBody) Read([]byte) (int, error) { return 0, checkpointtest.ErrBroken }
