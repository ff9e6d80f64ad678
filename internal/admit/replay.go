package admit

import (
	"hash/maphash"
	"net/http"
	"sync"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// rememberedAnswers is how many response ids are stored to detect a response that is delivered for
// a second request. Intermediaries mix up only recent responses. At a thousand requests per second,
// the stored ids cover a minute.
const rememberedAnswers = 1 << 16

// replays stores the request ids of responses. S3 and STS use a unique id for each response (Amazon
// S3 API Reference, "Common response headers": x-amz-request-id). If an id appears twice, an
// intermediary has sent the response to another request. If a service uses the same id for all
// responses, its ids are ignored.
type replays struct {
	seed maphash.Seed

	mu    sync.Mutex
	hosts map[string]*habit
	seen  map[uint64]struct{}
	ring  []uint64 // the ids in seen; the oldest is at index next
	next  int
}

// habit records whether a host sends different request ids.
type habit struct {
	first uint64
	isVar bool // the host sent more than one id
}

func newReplays() *replays {
	return &replays{seed: maphash.MakeSeed(), hosts: map[string]*habit{}, seen: map[uint64]struct{}{}}
}

// idOf returns the request id of a response, or "" if it has none.
func idOf(answer *smithyhttp.Response) string {
	if answer == nil || answer.Response == nil {
		return ""
	}
	h := answer.Header
	return h.Get("X-Amz-Request-Id") + h.Get("X-Amzn-Requestid")
}

// isReplay reports whether a response was received before, and stores its id.
func (r *replays) isReplay(answer *smithyhttp.Response) bool {
	id := idOf(answer)
	if id == "" {
		return false
	}
	host := hostOf(answer.Response)
	key := maphash.String(r.seed, host+" "+id)
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.hosts[host]
	if h == nil {
		h = &habit{first: key}
		r.hosts[host] = h
	}
	h.isVar = h.isVar || key != h.first
	_, isKnown := r.seen[key]
	if !isKnown {
		r.add(key)
	}
	return isKnown && h.isVar
}

func hostOf(answer *http.Response) string {
	if answer.Request == nil || answer.Request.URL == nil {
		return ""
	}
	return answer.Request.URL.Host
}

func (r *replays) add(key uint64) {
	r.seen[key] = struct{}{}
	if len(r.ring) < rememberedAnswers {
		r.ring = append(r.ring, key)
		return
	}
	delete(r.seen, r.ring[r.next])
	r.ring[r.next] = key
	r.next = (r.next + 1) % rememberedAnswers
}
