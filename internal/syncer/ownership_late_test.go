//nolint:thelper // the funcs that run in bubbles are tests: failures must report their lines
package syncer_test

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/copier/content"
)

// lateRequests is longer than requests of a killed process can take effect.
const lateRequests = 40 * time.Minute

// late is a network that delays one copy request until its sender was killed and deliver is called.
type late struct {
	next http.RoundTripper
	key  string

	mu   sync.Mutex
	held *http.Request // nil until the copy was requested
	body []byte
}

func (l *late) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPut || r.URL.Path != "/consumer-copy/"+l.key {
		return l.next.RoundTrip(r)
	}
	isHeld, err := l.hold(r)
	if err != nil {
		return nil, err
	}
	if !isHeld {
		return l.next.RoundTrip(r)
	}
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// hold keeps a request, unless there is one already.
func (l *late) hold(r *http.Request) (isHeld bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != nil {
		return false, nil
	}
	if r.Body != nil {
		if l.body, err = io.ReadAll(r.Body); err != nil {
			return false, err
		}
	}
	l.held = r.Clone(r.Context())
	return true, nil
}

// deliver sends the delayed request, which must succeed.
func (l *late) deliver(t *testing.T) {
	t.Helper()
	r := l.held.Clone(t.Context())
	r.Body = io.NopCloser(bytes.NewReader(l.body))
	res, err := l.next.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("got %s for the late request, %v", res.Status, err)
	}
}

// killedWithARequestOnTheWay runs a process that is killed while its copy request for a key is on the
// way to the service.
func (w *world) killedWithARequestOnTheWay(t *testing.T, store, key string) *late {
	t.Helper()
	l := &late{next: w.cloud.RoundTripper(), key: key}
	w.network = func(http.RoundTripper) http.RoundTripper { return l }
	defer func() { w.network = nil }()
	p := w.start(t, store)
	defer p.finish(t)
	p.life = 30 * time.Second
	if got, err := p.run(t); err == nil || l.held == nil {
		t.Fatalf("got %+v, want it killed with a request on the way", got)
	}
	return l
}

// TestACopyThatArrivesAfterTheNextPass kills a process whose request arrives after the next pass has
// looked at its key and committed. It checks that a later pass corrects the copy and counts it as
// syncd's own, and that the passes after it send no requests to the destination.
func TestACopyThatArrivesAfterTheNextPass(t *testing.T) {
	for label, change := range map[string]struct {
		key                    string
		before, between, after func(w *world)
	}{
		"source deleted": {
			key: name(5),
			before: func(w *world) {
				w.copies.Relay, w.copies.Buffers = true, content.NewBuffers(32<<20)
				w.put(name(5))
			},
			between: func(w *world) { w.source.Delete(name(5)) },
			after:   func(w *world) { w.change(name(5)) },
		},
		"class changed": {
			key:     name(1),
			before:  func(w *world) { w.copies.StorageClass = "STANDARD_IA" },
			between: func(w *world) { w.copies.StorageClass = "" },
			after:   func(*world) {},
		},
	} {
		for _, store := range stores() {
			t.Run(label+" "+store, func(t *testing.T) {
				bubble(t, func(t *testing.T, w *world) {
					w.fill(3)
					w.passes(t, store, "first", 0)
					change.before(w)
					l := w.killedWithARequestOnTheWay(t, store, change.key)
					change.between(w)
					w.passes(t, store, "second", 0)
					l.deliver(t)
					w.passes(t, store, "third", 0)
					change.after(w)
					w.passes(t, store, "fourth", 0)
					w.wantInStep(t)
					w.wantQuietPass(t, store)
				})
			})
		}
	}
}

// wantQuietPass checks that the passes from the second on send no requests to the destination, once no
// late request is possible.
func (w *world) wantQuietPass(t *testing.T, store string) {
	t.Helper()
	time.Sleep(lateRequests)
	w.passes(t, store, "the last pass with claims", 0)
	seen := 0
	defer w.cloud.Inject(awsfake.Fault{Bucket: "consumer-copy", Kind: awsfake.None, Do: func() { seen++ }})()
	w.passes(t, store, "a pass without claims", 0)
	if seen != 0 {
		t.Errorf("got %d requests to the destination, want none", seen)
	}
}
