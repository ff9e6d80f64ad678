package syncer_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/copier/content"
	"syncd/internal/plan"
)

// contest is how long processes compete in TestHoldersOfData, by the clock of the bubble; make
// adversary sets a longer time.
var contest = flag.Duration("contest", 3*time.Minute, "how long processes compete in TestHoldersOfData, by their own clock")

// holders is a set of processes that maintain one copy, with their ledger on S3. Meanwhile the
// source is overwritten and the network to S3 is faulty: a process freezes, a request arrives
// minutes late, or a response is lost.
type holders struct {
	*world
	until time.Time // when the faults end

	mu       sync.Mutex
	random   *rand.Rand
	numbers  map[string]int  // version number by checksum of the content
	late     map[string]bool // destination versions that were written after their sender gave up
	writes   int
	slow     string // path of objects whose writes take minutes
	starting sync.Mutex
}

const (
	holderKeys  = 24
	holderLarge = 3 // how many of the objects are copied in parts
)

func newHolders(t *testing.T, relay bool) *holders {
	t.Helper()
	lasts := *contest
	if testing.Short() {
		lasts /= 2
	}
	h := &holders{world: newWorld(t), until: time.Now().Add(lasts), numbers: map[string]int{}, late: map[string]bool{}}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	h.random = rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // a test
	h.copies.Relay, h.copies.Buffers = relay, content.NewBuffers(64<<20)
	h.copies.MultipartAbove, h.copies.PartSize = 5<<20, 5<<20
	h.options.Ledger.FlushInterval = 2 * time.Second
	h.both()
	h.network = func(next http.RoundTripper) http.RoundTripper { return &network{holders: h, next: next} }
	for i := range holderKeys {
		h.overwrite(i)
	}
	h.cloud.SetLatency(300 * time.Millisecond)
	return h
}

// ignoringConditions makes the destination a service that ignores the conditions of writes.
func (h *holders) ignoringConditions() {
	h.copies.ToS3 = func() bool { return false }
	for _, operation := range []string{"PutObject", "CopyObject", "CompleteMultipartUpload"} {
		h.cloud.Inject(awsfake.Fault{Operation: operation, Bucket: "consumer-copy", Kind: awsfake.IgnoreConditions})
	}
}

// overwrite writes the next version of an object. Its content contains the version number.
func (h *holders) overwrite(i int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	content := fmt.Sprintf("version %d of %d.", len(h.numbers), i)
	if i < holderLarge {
		content = strings.Repeat(content, 6<<20/len(content))
	}
	info := h.source.Put(name(i), awsfake.BytesBody([]byte(content)), awsfake.PutOptions{})
	h.numbers[info.Checksum] = len(h.numbers)
}

// chance returns true with the given probability, in thousandths. After the faults have ended it
// returns false.
func (h *holders) chance(permille int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Before(h.until) && h.random.IntN(1000) < permille
}

// upTo returns a random duration of at most d.
func (h *holders) upTo(d time.Duration) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Duration(h.random.Int64N(int64(d)))
}

// wrote records a write that was carried out at the destination.
func (h *holders) wrote(version string, late bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.writes++
	if late {
		h.late[version] = true
	}
}

// network is the connection of one process to S3.
type network struct {
	*holders
	next http.RoundTripper

	freeze sync.Mutex
	frozen time.Time // the process sends nothing until then
}

var errLost = errors.New("the connection was lost")

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.sleep()
	if err := r.Context().Err(); err != nil && n.chance(500) {
		return nil, err // the process can wake up with the request half sent
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(body)) // the request can be sent after the sender has given up
	}
	var delay time.Duration
	if n.slow != "" && r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, n.slow) {
		delay = 5 * time.Minute
	}
	if n.chance(10) {
		delay = n.upTo(3 * time.Minute)
	}
	type answer struct {
		res *http.Response
		err error
	}
	answers := make(chan answer, 1)
	go func() {
		time.Sleep(delay)
		res, err := n.deliver(r) //nolint:bodyclose // the sender closes it, if it is still waiting
		answers <- answer{res, err}
	}()
	select {
	case a := <-answers:
		if n.chance(10) {
			return nil, errLost
		}
		n.sleep()
		return a.res, a.err
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// sleep freezes all goroutines of the process now and then.
func (n *network) sleep() {
	n.freeze.Lock()
	if n.chance(3) {
		n.frozen = time.Now().Add(n.upTo(4 * time.Minute))
	}
	rest := time.Until(n.frozen)
	n.freeze.Unlock()
	time.Sleep(rest)
}

// deliver makes S3 carry out a request, whether or not the sender still waits for the response.
func (n *network) deliver(r *http.Request) (*http.Response, error) {
	res, err := n.next.RoundTrip(r.WithContext(context.WithoutCancel(r.Context())))
	if err != nil || !strings.HasPrefix(r.URL.Path, "/consumer-copy/") {
		return res, err
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	if version := res.Header.Get("X-Amz-Version-Id"); version != "" && r.Method != http.MethodHead && r.Method != http.MethodGet {
		n.wrote(version, r.Context().Err() != nil)
	}
	return res, nil
}

// hold runs one process after another. Each process runs up to three passes, and is drained or
// killed if they take too long.
func (h *holders) hold(t *testing.T) {
	t.Helper()
	for time.Now().Before(h.until) {
		h.starting.Lock()
		p := h.start(t, "S3")
		h.starting.Unlock()
		end := p.drain
		if h.chance(500) {
			end = p.kill
		}
		stop := time.AfterFunc(h.upTo(10*time.Minute), end).Stop
		for range 3 {
			_, _ = p.run(t) // the pass can fail in any way
			time.Sleep(h.upTo(20 * time.Second))
		}
		stop()
		_ = p.Close()
		p.end()
	}
}

// work runs three competing processes until the faults end, and then one process that finishes.
func (h *holders) work(t *testing.T, conditional bool) {
	t.Helper()
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() { h.hold(t) })
	}
	all.Go(func() {
		for time.Now().Before(h.until) {
			time.Sleep(h.upTo(8 * time.Second))
			h.overwrite(int(h.upTo(holderKeys)))
		}
	})
	all.Wait()
	time.Sleep(30 * 24 * time.Hour) // until all quarantined objects are due
	last := h.start(t, "S3")
	defer last.finish(t)
	for range 2 {
		got, err := last.run(t)
		if foreign := got.Quarantined[plan.Foreign]; err != nil || got.SetAside() != foreign || conditional && foreign > 0 {
			t.Errorf("afterwards: got %+v, %v, want all settled", got, err)
		}
	}
}

// stepsBack returns how often a copy went back to an older version of its source, and which copies
// are stale in the end. Only a late write can cause either.
func (h *holders) stepsBack(t *testing.T) (back int, stale []string) {
	t.Helper()
	for i := range holderKeys {
		versions := h.destination.Versions(name(i)) // newest first
		newest, wasLate := -1, false
		for _, version := range slices.Backward(versions) {
			wasLate = wasLate || h.late[version.VersionID]
			number, ok := h.numbers[version.Checksum]
			if !ok {
				t.Errorf("%s: got content that the source never had: %+v", name(i), version)
			}
			if number < newest {
				back++
				if !h.late[version.VersionID] {
					t.Errorf("%s: version %d came after %d although its sender still waited for the response", name(i), number, newest)
				}
			}
			newest = max(newest, number)
		}
		if original, _ := h.source.Object(name(i)); len(versions) == 0 || versions[0].Checksum != original.Checksum {
			stale = append(stale, name(i))
			if !wasLate {
				t.Errorf("%s: the copy is stale although no write came late", name(i))
			}
		}
	}
	return back, stale
}

// TestHoldersOfData runs processes that take over one copy from each other. With conditional
// writes, the copy must never go back to an older version, and must be the newest version in the
// end. If the destination ignores conditions, only a write that arrives after its sender gave up is
// allowed to set the copy back to an older version. After such a write, the copy is stale, or the
// next pass with a newer version finds the copy foreign.
func TestHoldersOfData(t *testing.T) {
	for _, relay := range []bool{false, true} {
		for _, conditional := range []bool{true, false} {
			t.Run(fmt.Sprintf("relay %t, conditions %t", relay, conditional), func(t *testing.T) {
				checkpointtest.Bubble(t, func(t *testing.T) {
					h := newHolders(t, relay)
					if !conditional {
						h.ignoringConditions()
					}
					h.work(t, conditional)
					back, stale := h.stepsBack(t)
					t.Logf("%d versions of the source, %d writes, %d of them late, %d steps back, %d stale", len(h.numbers), h.writes, len(h.late), back, len(stale))
					if conditional && (back > 0 || len(stale) > 0) {
						t.Errorf("got %d steps back, and in the end %q stale", back, stale)
					}
				})
			})
		}
	}
}

// TestAWriteThatArrivesLate delivers a relayed write after another process has taken over and
// copied a newer version. It checks that a condition prevents the write. A destination that ignores
// conditions accepts the write, and the next pass copies the newer version again.
func TestAWriteThatArrivesLate(t *testing.T) {
	for conditional, want := range map[bool]int64{true: 0, false: 1} {
		t.Run(fmt.Sprintf("conditions %t", conditional), func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				h := newHolders(t, true)
				h.until = time.Time{} // no other faults
				if !conditional {
					h.ignoringConditions()
				}
				late := name(holderLarge)
				h.source.Put(late, awsfake.BytesBody([]byte("the first version")), awsfake.PutOptions{})
				first := h.start(t, "S3")
				h.slow = "/consumer-copy/" + late
				time.AfterFunc(20*time.Second, first.kill)
				if got, err := first.run(t); err == nil {
					t.Fatalf("got %+v, want it killed", got)
				}
				first.finish(t)
				h.slow = ""
				h.source.Put(late, awsfake.BytesBody([]byte("the second version")), awsfake.PutOptions{})
				second := h.start(t, "S3")
				defer second.finish(t)
				if got, err := second.run(t); err != nil || got.Exit != 0 {
					t.Errorf("second process: got %+v, %v", got, err)
				}
				time.Sleep(10 * time.Minute)
				if got, err := second.run(t); err != nil || got.Copied != want || got.Unchanged != holderKeys-want {
					t.Errorf("second process, later: got %+v, %v, want %d copied", got, err, want)
				}
				if got, err := h.destination.Read(late); err != nil || string(got) != "the second version" {
					t.Errorf("got %q, %v, want the second version", got, err)
				}
			})
		})
	}
}
