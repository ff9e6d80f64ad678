package admit

import (
	"hash/maphash"
	"net/http"
	"sync"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// rememberedAnswers is how many answers are remembered, so that none of them is taken for that to
// another request. What mixes answers up does so with those of its time: at a thousand a second
// this is a minute.
const rememberedAnswers = 1 << 16

// replays remembers the ids that services give their answers. S3 and STS give each answer another
// one (Amazon S3 API Reference, "Common response headers": x-amz-request-id); one that comes twice
// is an answer to another request, given by what stands between. A service that gives all its
// answers one id says nothing with it.
type replays struct {
	seed maphash.Seed

	mu    sync.Mutex
	hosts map[string]*habit
	seen  map[uint64]struct{}
	ring  []uint64 // of seen, the oldest at next
	next  int
}

// habit is how a host gives ids.
type habit struct {
	first uint64
	isVar bool // there was another one
}

func newReplays() *replays {
	return &replays{seed: maphash.MakeSeed(), hosts: map[string]*habit{}, seen: map[uint64]struct{}{}}
}

// idOf is the id that a service gave an answer, "" for none.
func idOf(answer *smithyhttp.Response) string {
	if answer == nil || answer.Response == nil {
		return ""
	}
	h := answer.Header
	return h.Get("X-Amz-Request-Id") + h.Get("X-Amzn-Requestid")
}

// isReplay reports whether an answer has been given before, and remembers it.
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
