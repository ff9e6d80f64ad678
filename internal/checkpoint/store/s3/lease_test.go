//nolint:thelper // bubbles run these as tests: a failure must show their line
package s3_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/store"
	s3store "syncd/internal/checkpoint/store/s3"
	"syncd/internal/checkpoint/store/s3/s3test"
)

// unplugged is a transport that can be disconnected.
type unplugged struct {
	next http.RoundTripper
	off  atomic.Bool
}

func (u *unplugged) RoundTrip(r *http.Request) (*http.Response, error) {
	if u.off.Load() {
		return nil, checkpointtest.ErrBroken
	}
	return u.next.RoundTrip(r)
}

func acquire(t *testing.T, store store.Store, holder string) store.Lease {
	t.Helper()
	lease, err := store.Acquire(t.Context(), mapping, holder)
	if err != nil {
		t.Fatalf("acquire for %s: %v", holder, err)
	}
	t.Cleanup(func() { _ = lease.Release() })
	return lease
}

// leaseTest runs a test in a bubble with its own time.
func leaseTest(t *testing.T, test func(t *testing.T, s *s3test.State)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(t, s3test.New()) })
}

// TestS3LeaseExpires disconnects a holder. It checks that the holder considers the lease lost
// before another process can get it, regardless of the clocks of both processes.
func TestS3LeaseExpires(t *testing.T) {
	for _, skew := range []time.Duration{0, time.Hour, -time.Hour} {
		t.Run(fmt.Sprint(skew), func(t *testing.T) {
			leaseTest(t, func(t *testing.T, s *s3test.State) {
				wire := &unplugged{next: s.Cloud.RoundTripper()}
				first := acquire(t, s.Store(wire), "first")
				o := s.Options()
				o.Now = func() time.Time { return time.Now().Add(skew) }
				o.LeaseFor = time.Second // the holder's lease duration counts, not the contender's
				contender := s3store.New(s.Client(nil, 1), o)
				s3test.Pass(t, 25*time.Second)
				wire.off.Store(true) // the last renewal was five seconds ago
				for at := 25; ; at++ {
					lease, err := contender.Acquire(t.Context(), mapping, "second")
					if err == nil {
						if at < 80 || at > 84 {
							t.Errorf("acquired after %d s, want a minute after the last renewal plus clockGrain", at)
						}
						if !lease.TakenOver() {
							t.Error("taken over: got false, want true")
						}
						_ = lease.Release()
						break
					}
					held, ok := errors.AsType[*store.LeaseHeldError](err)
					if !ok || held.Holder != "first" || held.Until.IsZero() {
						t.Fatalf("after %d s: got %v, want a LeaseHeldError with holder and end", at, err)
					}
					s3test.Pass(t, time.Second)
				}
				if err := first.Held(t.Context()); !errors.Is(err, store.ErrLeaseLost) {
					t.Errorf("first holder: got %v, want %v", err, store.ErrLeaseLost)
				}
			})
		})
	}
}

// TestS3LeaseBoundsWrites checks that a context bound to the lease ends before another process can
// hold the lease, if responses stop, if the lease was taken, or if the clock was set.
func TestS3LeaseBoundsWrites(t *testing.T) {
	bound := func(t *testing.T, lease store.Lease) (ctx context.Context) {
		ctx, release := lease.Bound(t.Context())
		t.Cleanup(release)
		return ctx
	}
	t.Run("without a response", func(t *testing.T) {
		leaseTest(t, func(t *testing.T, s *s3test.State) {
			wire := &unplugged{next: s.Cloud.RoundTripper()}
			lease := acquire(t, s.Store(wire), "first")
			ctx := bound(t, lease)
			s3test.Pass(t, 65*time.Second)
			wire.off.Store(true) // the last renewal was five seconds ago
			s3test.Pass(t, 48*time.Second)
			if ctx.Err() != nil {
				t.Errorf("got %v within nine tenths of the lease", context.Cause(ctx))
			}
			s3test.Pass(t, 2*time.Second)
			if cause := context.Cause(ctx); !errors.Is(cause, store.ErrLeaseLost) {
				t.Errorf("got %v after nine tenths of the lease, want %v", cause, store.ErrLeaseLost)
			}
			if err := lease.Confirm(t.Context()); !errors.Is(err, store.ErrLeaseLost) {
				t.Errorf("confirm: got %v, want %v", err, store.ErrLeaseLost)
			}
		})
	})
	t.Run("taken", func(t *testing.T) {
		leaseTest(t, func(t *testing.T, s *s3test.State) {
			lease := acquire(t, s.Store(nil), "first")
			ctx := bound(t, lease)
			s.Bucket.Delete(s3test.Prefix + mapping + "/lock")
			acquire(t, s.Store(nil), "second")
			if err := lease.Confirm(t.Context()); !errors.Is(err, store.ErrLeaseLost) {
				t.Errorf("confirm: got %v, want %v", err, store.ErrLeaseLost)
			}
			synctest.Wait()
			if cause := context.Cause(ctx); !errors.Is(cause, store.ErrLeaseLost) {
				t.Errorf("got %v, want %v", cause, store.ErrLeaseLost)
			}
		})
	})
	t.Run("suspended", func(t *testing.T) {
		leaseTest(t, func(t *testing.T, s *s3test.State) {
			var ahead atomic.Int64 // how far the clock jumped while the process was suspended
			o := s.Options()
			o.Now = func() time.Time { return time.Now().Round(0).Add(time.Duration(ahead.Load())) }
			wire := &unplugged{next: s.Cloud.RoundTripper()}
			lease := acquire(t, s3store.New(s.Client(wire, 1), o), "first")
			wire.off.Store(true)
			ahead.Store(int64(time.Hour))
			if err := lease.Held(t.Context()); !errors.Is(err, store.ErrLeaseLost) {
				t.Errorf("held after an hour of sleep: got %v, want %v", err, store.ErrLeaseLost)
			}
		})
	})
}

// TestS3LeaseIsNeverHeldTwice checks, in every second of an outage, that at most one of two
// processes holds the lease.
func TestS3LeaseIsNeverHeldTwice(t *testing.T) {
	leaseTest(t, func(t *testing.T, s *s3test.State) {
		wire := &unplugged{next: s.Cloud.RoundTripper()}
		first := acquire(t, s.Store(wire), "first")
		contender := s.Store(nil)
		wire.off.Store(true)
		for range 100 {
			stillHeld := first.Held(t.Context()) == nil
			second, err := contender.Acquire(t.Context(), mapping, "second")
			if err == nil {
				if stillHeld {
					t.Error("both hold the lease")
				}
				_ = second.Release()
				return
			}
			s3test.Pass(t, time.Second)
		}
		t.Error("the lease did not expire")
	})
}

func TestS3LeaseIsRenewed(t *testing.T) {
	leaseTest(t, func(t *testing.T, s *s3test.State) {
		first := acquire(t, s.Store(nil), "first")
		contender := s.Store(nil)
		for range 60 {
			s3test.Pass(t, 10*time.Second)
			if err := first.Held(t.Context()); err != nil {
				t.Fatalf("held: %v", err)
			}
			if _, err := contender.Acquire(t.Context(), mapping, "second"); err == nil {
				t.Fatal("acquired a lease that is renewed")
			}
		}
		info, ok, err := checkpoint.LeaseOf(t.Context(), contender, mapping)
		if left := time.Until(info.Until); err != nil || !ok || info.Holder != "first" || left < 30*time.Second || left > 63*time.Second {
			t.Errorf("lease: got %+v with %s left, %t, %v, want the lease of first", info, left, ok, err)
		}
	})
}

// TestS3LeaseSurvives makes writes of the lock fail, before or after they take effect, and in some
// cases also the reads that determine whether a write took effect. It checks that the lease can
// still be held, released and acquired.
func TestS3LeaseSurvives(t *testing.T) {
	for _, kind := range []awsfake.FaultKind{awsfake.LoseAnswer, awsfake.Reset, awsfake.Unavailable, awsfake.Throttle, awsfake.Conflict} {
		for _, operations := range [][]string{{"PutObject"}, {"PutObject", "GetObject"}} {
			t.Run(fmt.Sprint(kind, operations), func(t *testing.T) {
				leaseTest(t, func(t *testing.T, s *s3test.State) {
					breakOnce := func() (mend func()) {
						var mends []func()
						for _, o := range operations {
							mends = append(mends, s.Cloud.Inject(awsfake.Fault{Operation: o, Kind: kind, Times: 1, Key: s3test.Prefix + mapping + "/lock"}))
						}
						return func() {
							for _, m := range mends {
								m()
							}
						}
					}
					lease := acquire(t, s.Store(nil), "me")
					for range 8 {
						mend := breakOnce()
						for range 3 {
							s3test.Pass(t, 20*time.Second)
							if err := lease.Held(t.Context()); err != nil {
								t.Fatalf("held: %v", err)
							}
						}
						mend()
					}
					mend := breakOnce()
					_ = lease.Release()
					mend()
					s3test.Pass(t, 63*time.Second)
					acquire(t, s.Store(nil), "next")
				})
			})
		}
	}
}

func TestS3LostResponseOfAcquireAndRelease(t *testing.T) {
	for _, retries := range []int{1, 3} { // without and with retries by the SDK
		t.Run(fmt.Sprint(retries), func(t *testing.T) {
			leaseTest(t, func(t *testing.T, s *s3test.State) {
				store := s3store.New(s.Client(nil, retries), s.Options())
				for range 2 { // without and with an existing lock object
					lose := awsfake.Fault{Operation: "PutObject", Kind: awsfake.LoseAnswer, Times: 1, Key: s3test.Prefix + mapping + "/lock"}
					s.Cloud.Inject(lose)
					lease := acquire(t, store, "me")
					if lease.TakenOver() {
						t.Error("taken over: got true, want false")
					}
					s.Cloud.Inject(lose)
					if err := lease.Release(); err != nil {
						t.Errorf("release: %v", err)
					}
				}
			})
		})
	}
}

func TestS3LeaseTaken(t *testing.T) {
	leaseTest(t, func(t *testing.T, s *s3test.State) {
		o := s.Options()
		var log lockedText
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		wire := &unplugged{next: s.Cloud.RoundTripper()}
		first := acquire(t, s3store.New(s.Client(wire, 1), o), "first")
		wire.off.Store(true)
		s3test.Pass(t, 63*time.Second)
		second := acquire(t, s.Store(nil), "second")
		wire.off.Store(false)
		s3test.Pass(t, 20*time.Second)
		err := first.Held(t.Context())
		if !errors.Is(err, store.ErrLeaseLost) || !strings.Contains(err.Error(), `"second"`) {
			t.Errorf("first: got %v, want the lease lost to second", err)
		}
		if text := log.String(); !strings.Contains(text, "lease was not renewed") {
			t.Errorf("log: got %q, want a warning", text)
		}
		before := s.LockObject(t, mapping)
		if err := first.Release(); err != nil {
			t.Errorf("release a lost lease: got %v, want nil", err)
		}
		if after := s.LockObject(t, mapping); after != before {
			t.Errorf("the first holder changed the lock of the second to %s", after)
		}
		if err := second.Held(t.Context()); err != nil {
			t.Errorf("second: %v", err)
		}
	})
}
