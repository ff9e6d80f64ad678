//nolint:thelper // what runs in bubbles are tests: a failure must name their line
package checkpoint_test

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
	"syncd/internal/checkpoint"
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

// TestS3TakenOverIsHandedOn gives a lease back before the holder before is
// fenced off: the next one has to do it.
func TestS3TakenOverIsHandedOn(t *testing.T) {
	leaseTest(t, func(t *testing.T, s *state) {
		wire := &unplugged{next: s.cloud.RoundTripper()}
		acquire(t, s.store(wire), "vanished")
		wire.off.Store(true)
		pass(t, 63*time.Second)
		for _, step := range []struct {
			takenOver, fence bool
		}{{true, false}, {true, false}, {true, true}, {false, false}} {
			lease := acquire(t, s.store(nil), "next")
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

func TestS3LockTakenAwayByHand(t *testing.T) {
	leaseTest(t, func(t *testing.T, s *state) {
		store := s.store(nil)
		lease := acquire(t, store, "me")
		if err := createIn(t.Context(), store, mapping+"/record", "x"); err != nil {
			t.Fatal(err)
		}
		s.bucket.Delete(statePrefix + mapping + "/lock")
		if next := acquire(t, s.store(nil), "next"); !next.TakenOver() {
			t.Error("taken over: got false, want true: nobody gave the lease back")
		}
		pass(t, 20*time.Second)
		if err := lease.Held(t.Context()); !errors.Is(err, checkpoint.ErrLeaseLost) {
			t.Errorf("held: got %v, want %v", err, checkpoint.ErrLeaseLost)
		}
	})
}

func TestS3DamagedLock(t *testing.T) {
	leaseTest(t, func(t *testing.T, s *state) {
		s.bucket.Put(statePrefix+mapping+"/lock", awsfake.BytesBody([]byte("garbage")), awsfake.PutOptions{})
		_, err := s.store(nil).Acquire(t.Context(), mapping, "me")
		if _, ok := errors.AsType[*checkpoint.CorruptError](err); !ok {
			t.Errorf("acquire: got %v, want a CorruptError", err)
		}
	})
}

func TestS3AnswerWithoutDate(t *testing.T) {
	leaseTest(t, func(t *testing.T, s *state) {
		acquire(t, s.store(nil), "first")
		store := s.store(roundTrip(func(r *http.Request) (*http.Response, error) {
			res, err := s.cloud.RoundTripper().RoundTrip(r)
			if err == nil {
				res.Header.Del("Date")
			}
			return res, err
		}))
		_, err := store.Acquire(t.Context(), mapping, "second")
		if err == nil || !strings.Contains(err.Error(), "no Date") {
			t.Errorf("acquire: got %v, want that the answer has no Date", err)
		}
	})
}

// TestS3OneOfManyContenders lets an expired lease be wanted by many at once.
func TestS3OneOfManyContenders(t *testing.T) {
	leaseTest(t, func(t *testing.T, s *state) {
		wire := &unplugged{next: s.cloud.RoundTripper()}
		acquire(t, s.store(wire), "vanished")
		wire.off.Store(true)
		pass(t, 63*time.Second)
		var won atomic.Int64
		var group sync.WaitGroup
		for i := range 8 {
			store := s.store(slowly(s.cloud.RoundTripper(), time.Duration(i%3+1)*time.Millisecond))
			group.Go(func() {
				lease, err := store.Acquire(t.Context(), mapping, fmt.Sprint(i))
				if err == nil {
					won.Add(1)
					t.Cleanup(func() { _ = lease.Release() })
				} else if _, ok := errors.AsType[*checkpoint.LeaseHeldError](err); !ok {
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
	return roundTrip(func(r *http.Request) (*http.Response, error) {
		if err := deadline.Sleep(r.Context(), d); err != nil {
			return nil, err
		}
		return next.RoundTrip(r)
	})
}
