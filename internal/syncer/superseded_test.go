package syncer_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
)

// sleeper is the connection of a process to S3. It can freeze the process, and counts the uploads
// that the process aborts afterwards.
type sleeper struct {
	next   http.RoundTripper
	aborts atomic.Int64

	mu    sync.Mutex
	until time.Time
}

func (s *sleeper) sleep(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = time.Now().Add(d)
}

func (s *sleeper) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	rest, hasSlept := time.Until(s.until), !s.until.IsZero()
	s.mu.Unlock()
	time.Sleep(rest)
	if hasSlept && r.Method == http.MethodDelete && r.URL.Query().Has("uploadId") {
		s.aborts.Add(1)
	}
	return s.next.RoundTrip(r)
}

// TestSupersededProcessAbortsNothing freezes a process at the end of its pass, with an upload to
// abort, while another process takes over. It checks that the frozen process aborts no upload.
func TestSupersededProcessAbortsNothing(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.both()
		w.copies.MultipartAbove, w.copies.PartSize = 5<<20, 5<<20
		w.source.Put("large", awsfake.SyntheticBody(70<<20, 1), awsfake.PutOptions{})
		w.killedAt(t, "S3", "UploadPartCopy", "large", nil)
		if w.destination.Uploads() != 1 {
			t.Fatalf("got %d uploads, want one upload that no pass resumes", w.destination.Uploads())
		}
		w.source.Delete("large")
		w.put("last")

		var first *sleeper
		w.network = func(next http.RoundTripper) http.RoundTripper {
			s := &sleeper{next: next}
			if first == nil {
				first = s
			}
			return s
		}
		time.Sleep(2 * time.Minute)
		superseded := w.start(t, "S3")
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "last", Times: 1, Do: func() { first.sleep(5 * time.Minute) }})
		var over sync.WaitGroup
		over.Go(func() {
			time.Sleep(2 * time.Minute)
			w.passes(t, "S3", "the next holder", 0)
		})
		if got, err := superseded.run(t); err == nil {
			t.Errorf("got %+v, want it superseded", got)
		}
		over.Wait()
		superseded.finish(t)
		if n := first.aborts.Load(); n != 0 {
			t.Errorf("got %d uploads aborted by a process without the lease, want none", n)
		}
		w.wantInStep(t)
	})
}
