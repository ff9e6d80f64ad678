//nolint:thelper // what runs in bubbles are tests: a failure must name their line
package checkpoint_test

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
)

// unplugged is a transport that can be cut off.
type unplugged struct {
	next http.RoundTripper
	off  atomic.Bool
}

func (u *unplugged) RoundTrip(r *http.Request) (*http.Response, error) {
	if u.off.Load() {
		return nil, errBroken
	}
	return u.next.RoundTrip(r)
}

func acquire(t *testing.T, store checkpoint.Store, holder string) checkpoint.Lease {
	t.Helper()
	lease, err := store.Acquire(t.Context(), mapping, holder)
	if err != nil {
		t.Fatalf("acquire for %s: %v", holder, err)
	}
	t.Cleanup(func() { _ = lease.Release() })
	return lease
}

// leaseTest runs a test in a bubble of its own time.
func leaseTest(t *testing.T, test func(t *testing.T, s *state)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { test(t, newState()) })
}

// TestS3LeaseExpires lets a holder vanish. It knows that it is no holder before
// anyone else can be one, whatever the clocks of the two say.
func TestS3LeaseExpires(t *testing.T) {
	for _, skew := range []time.Duration{0, time.Hour, -time.Hour} {
		t.Run(fmt.Sprint(skew), func(t *testing.T) {
			leaseTest(t, func(t *testing.T, s *state) {
				wire := &unplugged{next: s.cloud.RoundTripper()}
				first := acquire(t, s.store(wire), "first")
				o := s.options()
				o.Now = func() time.Time { return time.Now().Add(skew) }
				o.LeaseFor = time.Second // what the holder promised counts, not what the contender would
				contender := checkpoint.NewS3(s.client(nil, 1), o)
				pass(t, 25*time.Second)
				wire.off.Store(true) // the last renewal was five seconds ago
				for at := 25; ; at++ {
					lease, err := contender.Acquire(t.Context(), mapping, "second")
					if err == nil {
						if at < 80 || at > 84 {
							t.Errorf("taken after %d s, want a minute after the last renewal, and the grain of HTTP dates", at)
						}
						if !lease.TakenOver() {
							t.Error("taken over: got false, want true")
						}
						_ = lease.Release()
						break
					}
					held, ok := errors.AsType[*checkpoint.LeaseHeldError](err)
					if !ok || held.Holder != "first" || held.Until.IsZero() {
						t.Fatalf("after %d s: got %v, want a LeaseHeldError with holder and end", at, err)
					}
					pass(t, time.Second)
				}
				if err := first.Held(t.Context()); !errors.Is(err, checkpoint.ErrLeaseLost) {
					t.Errorf("first holder: got %v, want %v", err, checkpoint.ErrLeaseLost)
				}
			})
		})
	}
}

// TestS3LeaseBoundsWhatItWrites ends what is bound by the lease before another can hold it: by the time without an answer, by the
// news that it was taken, or because the clock was set.
func TestS3LeaseBoundsWhatItWrites(t *testing.T) {
	bound := func(t *testing.T, lease checkpoint.Lease) (ctx context.Context) {
		ctx, release := lease.Bound(t.Context())
		t.Cleanup(release)
		return ctx
	}
	t.Run("without an answer", func(t *testing.T) {
		leaseTest(t, func(t *testing.T, s *state) {
			wire := &unplugged{next: s.cloud.RoundTripper()}
			lease := acquire(t, s.store(wire), "first")
			ctx := bound(t, lease)
			pass(t, 65*time.Second)
			wire.off.Store(true) // the last renewal was five seconds ago
			pass(t, 48*time.Second)
			if ctx.Err() != nil {
				t.Errorf("got %v within nine tenths of the lease", context.Cause(ctx))
			}
			pass(t, 2*time.Second)
			if cause := context.Cause(ctx); !errors.Is(cause, checkpoint.ErrLeaseLost) {
				t.Errorf("got %v after nine tenths of the lease, want %v", cause, checkpoint.ErrLeaseLost)
			}
			if err := lease.Confirm(t.Context()); !errors.Is(err, checkpoint.ErrLeaseLost) {
				t.Errorf("confirm: got %v, want %v", err, checkpoint.ErrLeaseLost)
			}
		})
	})
	t.Run("taken", func(t *testing.T) {
		leaseTest(t, func(t *testing.T, s *state) {
			lease := acquire(t, s.store(nil), "first")
			ctx := bound(t, lease)
			s.bucket.Delete(statePrefix + mapping + "/lock")
			acquire(t, s.store(nil), "second")
			if err := lease.Confirm(t.Context()); !errors.Is(err, checkpoint.ErrLeaseLost) {
				t.Errorf("confirm: got %v, want %v", err, checkpoint.ErrLeaseLost)
			}
			synctest.Wait()
			if cause := context.Cause(ctx); !errors.Is(cause, checkpoint.ErrLeaseLost) {
				t.Errorf("got %v, want %v", cause, checkpoint.ErrLeaseLost)
			}
		})
	})
	t.Run("suspended", func(t *testing.T) {
		leaseTest(t, func(t *testing.T, s *state) {
			var ahead atomic.Int64 // what the clock jumped while the process was suspended
			o := s.options()
			o.Now = func() time.Time { return time.Now().Round(0).Add(time.Duration(ahead.Load())) }
			wire := &unplugged{next: s.cloud.RoundTripper()}
			lease := acquire(t, checkpoint.NewS3(s.client(wire, 1), o), "first")
			wire.off.Store(true)
			ahead.Store(int64(time.Hour))
			if err := lease.Held(t.Context()); !errors.Is(err, checkpoint.ErrLeaseLost) {
				t.Errorf("held after an hour of sleep: got %v, want %v", err, checkpoint.ErrLeaseLost)
			}
		})
	})
}

// TestS3LeaseIsNeverHeldTwice asks both sides at every second of an outage.
func TestS3LeaseIsNeverHeldTwice(t *testing.T) {
	leaseTest(t, func(t *testing.T, s *state) {
		wire := &unplugged{next: s.cloud.RoundTripper()}
		first := acquire(t, s.store(wire), "first")
		contender := s.store(nil)
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
			pass(t, time.Second)
		}
		t.Error("the lease did not expire")
	})
}

func TestS3LeaseIsRenewed(t *testing.T) {
	leaseTest(t, func(t *testing.T, s *state) {
		first := acquire(t, s.store(nil), "first")
		contender := s.store(nil)
		for range 60 {
			pass(t, 10*time.Second)
			if err := first.Held(t.Context()); err != nil {
				t.Fatalf("held: %v", err)
			}
			if _, err := contender.Acquire(t.Context(), mapping, "second"); err == nil {
				t.Fatal("acquired a lease that is renewed")
			}
		}
		info, ok, err := checkpoint.LeaseOf(t.Context(), contender, mapping)
		if left := time.Until(info.Until); err != nil || !ok || info.Holder != "first" || left < 30*time.Second || left > 63*time.Second {
			t.Errorf("lease: got %+v with %s left, %t, %v, want that of first", info, left, ok, err)
		}
	})
}

// TestS3LeaseSurvives breaks writes of the lock, with and without effect, and
// the look at what became of them as well.
func TestS3LeaseSurvives(t *testing.T) {
	for _, kind := range []awsfake.FaultKind{awsfake.LoseAnswer, awsfake.Reset, awsfake.Unavailable, awsfake.Throttle, awsfake.Conflict} {
		for _, operations := range [][]string{{"PutObject"}, {"PutObject", "GetObject"}} {
			t.Run(fmt.Sprint(kind, operations), func(t *testing.T) {
				leaseTest(t, func(t *testing.T, s *state) {
					breakOnce := func() (mend func()) {
						var mends []func()
						for _, o := range operations {
							mends = append(mends, s.cloud.Inject(awsfake.Fault{Operation: o, Kind: kind, Times: 1, Key: statePrefix + mapping + "/lock"}))
						}
						return func() {
							for _, m := range mends {
								m()
							}
						}
					}
					lease := acquire(t, s.store(nil), "me")
					for range 8 {
						mend := breakOnce()
						for range 3 {
							pass(t, 20*time.Second)
							if err := lease.Held(t.Context()); err != nil {
								t.Fatalf("held: %v", err)
							}
						}
						mend()
					}
					mend := breakOnce()
					_ = lease.Release()
					mend()
					pass(t, 63*time.Second)
					acquire(t, s.store(nil), "next")
				})
			})
		}
	}
}

func TestS3LostAnswerOfAcquireAndRelease(t *testing.T) {
	for _, retries := range []int{1, 3} { // without and with the SDK sending again
		t.Run(fmt.Sprint(retries), func(t *testing.T) {
			leaseTest(t, func(t *testing.T, s *state) {
				store := checkpoint.NewS3(s.client(nil, retries), s.options())
				for range 2 { // where there is no lock, and where there is one
					lose := awsfake.Fault{Operation: "PutObject", Kind: awsfake.LoseAnswer, Times: 1, Key: statePrefix + mapping + "/lock"}
					s.cloud.Inject(lose)
					lease := acquire(t, store, "me")
					if lease.TakenOver() {
						t.Error("taken over: got true, from nobody")
					}
					s.cloud.Inject(lose)
					if err := lease.Release(); err != nil {
						t.Errorf("release: %v", err)
					}
				}
			})
		})
	}
}

func TestS3LeaseTaken(t *testing.T) {
	leaseTest(t, func(t *testing.T, s *state) {
		o := s.options()
		var log lockedText
		o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		wire := &unplugged{next: s.cloud.RoundTripper()}
		first := acquire(t, checkpoint.NewS3(s.client(wire, 1), o), "first")
		wire.off.Store(true)
		pass(t, 63*time.Second)
		second := acquire(t, s.store(nil), "second")
		wire.off.Store(false)
		pass(t, 20*time.Second)
		err := first.Held(t.Context())
		if !errors.Is(err, checkpoint.ErrLeaseLost) || !strings.Contains(err.Error(), `"second"`) {
			t.Errorf("first: got %v, want lost to the second", err)
		}
		if text := log.String(); !strings.Contains(text, "lease was not renewed") {
			t.Errorf("log: got %q, want a warning", text)
		}
		before := s.lockObject(t, mapping)
		if err := first.Release(); err != nil {
			t.Errorf("release what was lost: got %v, want nil", err)
		}
		if after := s.lockObject(t, mapping); after != before {
			t.Errorf("the first holder changed the lock of the second to %s", after)
		}
		if err := second.Held(t.Context()); err != nil {
			t.Errorf("second: %v", err)
		}
	})
}
