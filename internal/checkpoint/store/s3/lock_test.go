//nolint:thelper // bubbles run these as tests: a failure must show their line
package s3_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/store"
	"syncd/internal/checkpoint/store/s3/s3test"
	"syncd/internal/deadline"
)

// lockedText is text that several goroutines write.
type lockedText struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lockedText) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lockedText) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// TestS3TakenOverIsPassedOn releases a lease before the previous holder is fenced off. It checks
// that the next holder's TakenOver is true.
func TestS3TakenOverIsPassedOn(t *testing.T) {
	leaseTest(t, func(t *testing.T, s *s3test.State) {
		wire := &unplugged{next: s.Cloud.RoundTripper()}
		acquire(t, s.Store(wire), "vanished")
		wire.off.Store(true)
		s3test.Pass(t, 63*time.Second)
		for _, step := range []struct {
			takenOver, fence bool
		}{{true, false}, {true, false}, {true, true}, {false, false}} {
			lease := acquire(t, s.Store(nil), "next")
			if got := lease.TakenOver(); got != step.takenOver {
				t.Errorf("taken over: got %t, want %t", got, step.takenOver)
			}
			if step.fence {
				lease.Fenced()
			}
			if err := lease.Release(); err != nil {
				t.Fatalf("release: %v", err)
			}
		}
	})
}

func TestS3LockDeletedByHand(t *testing.T) {
	leaseTest(t, func(t *testing.T, s *s3test.State) {
		from := s.Store(nil)
		lease := acquire(t, from, "me")
		if err := checkpointtest.Put(t.Context(), from, mapping+"/record", "x"); err != nil {
			t.Fatal(err)
		}
		s.Bucket.Delete(s3test.Prefix + mapping + "/lock")
		if next := acquire(t, s.Store(nil), "next"); !next.TakenOver() {
			t.Error("taken over: got false, want true: the lease was not released")
		}
		s3test.Pass(t, 20*time.Second)
		if err := lease.Held(t.Context()); !errors.Is(err, store.ErrLeaseLost) {
			t.Errorf("held: got %v, want %v", err, store.ErrLeaseLost)
		}
	})
}

func TestS3DamagedLock(t *testing.T) {
	leaseTest(t, func(t *testing.T, s *s3test.State) {
		s.Bucket.Put(s3test.Prefix+mapping+"/lock", awsfake.BytesBody([]byte("garbage")), awsfake.PutOptions{})
		_, err := s.Store(nil).Acquire(t.Context(), mapping, "me")
		if _, ok := errors.AsType[*store.CorruptError](err); !ok {
			t.Errorf("acquire: got %v, want a CorruptError", err)
		}
	})
}

func TestS3ResponseWithoutDate(t *testing.T) {
	leaseTest(t, func(t *testing.T, s *s3test.State) {
		acquire(t, s.Store(nil), "first")
		store := s.Store(s3test.RoundTrip(func(r *http.Request) (*http.Response, error) {
			res, err := s.Cloud.RoundTripper().RoundTrip(r)
			if err == nil {
				res.Header.Del("Date")
			}
			return res, err
		}))
		_, err := store.Acquire(t.Context(), mapping, "second")
		if err == nil || !strings.Contains(err.Error(), "no Date") {
			t.Errorf("acquire: got %v, want an error for the missing Date", err)
		}
	})
}

// TestS3OneOfManyContenders checks that only one of many processes that try to acquire an expired
// lease at the same time succeeds.
func TestS3OneOfManyContenders(t *testing.T) {
	leaseTest(t, func(t *testing.T, s *s3test.State) {
		wire := &unplugged{next: s.Cloud.RoundTripper()}
		acquire(t, s.Store(wire), "vanished")
		wire.off.Store(true)
		s3test.Pass(t, 63*time.Second)
		var won atomic.Int64
		var group sync.WaitGroup
		for i := range 8 {
			from := s.Store(slowly(s.Cloud.RoundTripper(), time.Duration(i%3+1)*time.Millisecond))
			group.Go(func() {
				lease, err := from.Acquire(t.Context(), mapping, fmt.Sprint(i))
				if err == nil {
					won.Add(1)
					t.Cleanup(func() { _ = lease.Release() })
				} else if _, ok := errors.AsType[*store.LeaseHeldError](err); !ok {
					t.Errorf("acquire: got %v, want a LeaseHeldError", err)
				}
			})
		}
		group.Wait()
		if got := won.Load(); got != 1 {
			t.Errorf("got %d holders, want 1", got)
		}
	})
}

func slowly(next http.RoundTripper, d time.Duration) http.RoundTripper {
	return s3test.RoundTrip(func(r *http.Request) (*http.Response, error) {
		if err := deadline.Sleep(r.Context(), d); err != nil {
			return nil, err
		}
		return next.RoundTrip(r)
	})
}
