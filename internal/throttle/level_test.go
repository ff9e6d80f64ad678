package throttle_test

import (
	"math"
	"math/rand/v2"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	smithyhttp "github.com/aws/smithy-go/transport/http"

	"syncd/internal/throttle"
)

// leveled is a service under load from senders behind one gate of a level.
type leveled struct {
	*service
	*load
	level  *throttle.Level
	client *client
	gate   *throttle.Gate
}

func newLeveled(t *testing.T, o throttle.LevelOptions, guard throttle.Guard) *leveled {
	t.Helper()
	s := newService(50*time.Millisecond, quota{}, quota{})
	guard.Level = throttle.NewLevel(o)
	return &leveled{service: s, load: newLoad(), level: guard.Level, client: newClient(t, s, &guard), gate: guard.Level.Gate()}
}

// work adds n senders of an operation.
func (l *leveled) work(t *testing.T, n int, operation string) {
	t.Helper()
	l.add(t, n, l.client, operation, l.gate)
}

// want fails the test if the level is not within bounds.
func (l *leveled) want(t *testing.T, when string, low, high int) {
	t.Helper()
	if got := l.level.Limit(); got < low || got > high {
		t.Errorf("%s: got a level of %d, want %d to %d", when, got, low, high)
	}
}

// broken returns a func that fails the given share of requests with the error of a reset
// connection, as the SDK reports it.
func broken(share float64) func() error {
	return func() error {
		if rand.Float64() < share {
			return &smithyhttp.RequestSendError{Err: syscall.ECONNRESET}
		}
		return nil
	}
}

func TestLevelStart(t *testing.T) {
	for _, tt := range []struct {
		o    throttle.LevelOptions
		want int
	}{
		{throttle.LevelOptions{Min: 4, Start: 64, Max: 1024}, 64},
		{throttle.LevelOptions{Min: 4, Start: 1, Max: 1024}, 4},
		{throttle.LevelOptions{Min: 4, Start: 2000, Max: 1024}, 1024},
		{throttle.LevelOptions{Min: 8, Max: 8}, 8},
		{throttle.LevelOptions{}, 1},
	} {
		if got := throttle.NewLevel(tt.o).Limit(); got != tt.want {
			t.Errorf("%+v: got %d, want %d", tt.o, got, tt.want)
		}
	}
}

func TestLevel(t *testing.T) {
	t.Parallel()
	bounds := throttle.LevelOptions{Min: 2, Start: 16, Max: 128}
	steadily := func(string, int) time.Duration { return 200 * time.Millisecond }
	for _, tt := range []struct {
		name      string
		o         throttle.LevelOptions
		senders   int
		operation string
		latency   func(operation string, underWay int) time.Duration
		fail      func() error
		guard     throttle.Guard
		low, high int
	}{
		{name: "grows while it is full", o: bounds, senders: 300, operation: "CopyObject", latency: steadily, low: 128, high: 128},
		{name: "stays if it is not full", o: bounds, senders: 16, operation: "CopyObject", latency: steadily, low: 16, high: 16},
		{
			name: "stays if a rate limits the requests", o: bounds, senders: 300, operation: "CopyObject", latency: steadily,
			guard: throttle.Guard{Cap: throttle.NewController(throttle.ControllerOptions{Cap: 60})}, low: 16, high: 16,
		},
		{
			name: "shrinks when connections break", o: bounds, senders: 300, operation: "CopyObject", latency: steadily,
			fail: broken(0.2), low: 2, high: 4,
		},
		{
			name: "tolerates a stray reset", o: bounds, senders: 300, operation: "CopyObject", latency: steadily,
			fail: broken(0.001), low: 128, high: 128,
		},
		{
			name: "ignores throttling", o: bounds, senders: 300, operation: "CopyObject", latency: steadily,
			fail: func() error {
				if rand.Float64() < 0.2 {
					return refusal("Please reduce your request rate.")
				}
				return nil
			},
			low: 16, high: 128,
		},
		{
			name: "stops when answers get slower", o: throttle.LevelOptions{Min: 2, Start: 16, Max: 1000}, senders: 1200, operation: "CopyObject",
			latency: func(_ string, underWay int) time.Duration {
				return time.Duration(max(underWay, 100)) * time.Millisecond
			},
			low: 100, high: 220,
		},
		{
			name: "is not misled by a service with no latency of its own", o: throttle.LevelOptions{Min: 2, Start: 16, Max: 1000}, senders: 100, operation: "CopyObject",
			latency: func(_ string, underWay int) time.Duration {
				return time.Duration(float64(underWay)*math.Exp(rand.NormFloat64())*500) * time.Microsecond
			},
			low: 16, high: 40,
		},
		{
			name: "ignores the time for content", o: bounds, senders: 300, operation: "UploadPartCopy",
			latency: func(string, int) time.Duration {
				return time.Duration(200*math.Exp(2*rand.NormFloat64())) * time.Millisecond
			},
			low: 128, high: 128,
		},
		{name: "may be fixed", o: throttle.LevelOptions{Min: 16, Max: 16}, senders: 300, operation: "CopyObject", latency: steadily, fail: broken(0.2), low: 16, high: 16},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				if tt.guard.Cap != nil { // a new Cap, because its timers must belong to this bubble
					rate, _ := tt.guard.Cap.Rate()
					tt.guard.Cap = throttle.NewController(throttle.ControllerOptions{Cap: rate})
				}
				l := newLeveled(t, tt.o, tt.guard)
				l.latency, l.fail = tt.latency, tt.fail
				l.work(t, tt.senders, tt.operation)
				time.Sleep(2 * time.Minute)
				l.want(t, "after two minutes", tt.low, tt.high)
				l.stop()
			})
		})
	}
}

// TestLevelRecovers checks that the level rises again after connections were broken for a while.
func TestLevelRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeveled(t, throttle.LevelOptions{Min: 2, Start: 16, Max: 64}, throttle.Guard{})
		l.fail = broken(0.5)
		l.work(t, 100, "CopyObject")
		time.Sleep(time.Minute)
		l.want(t, "while connections break", 2, 4)
		l.set(func() { l.fail = nil })
		time.Sleep(2 * time.Minute)
		l.want(t, "when they hold again", 40, 64)
		l.stop()
	})
}

// TestLevelForgetsTheBest makes every answer slower from some time on, for example because objects
// became larger. It checks that the level falls at first and rises again after five minutes.
func TestLevelForgetsTheBest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeveled(t, throttle.LevelOptions{Min: 2, Start: 16, Max: 64}, throttle.Guard{})
		l.work(t, 100, "CopyObject")
		time.Sleep(time.Minute)
		l.want(t, "at first", 64, 64)
		l.set(func() { l.latency = func(string, int) time.Duration { return 500 * time.Millisecond } })
		time.Sleep(2 * time.Minute)
		l.want(t, "when all got slower", 16, 16)
		time.Sleep(5 * time.Minute)
		l.want(t, "when that is what it is", 64, 64)
		l.stop()
	})
}

// TestLevelDoesNotCreep makes syncd's own requests queue at the service for an hour, which
// increases their latency. It checks that the level does not take this latency as the normal one.
func TestLevelDoesNotCreep(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLeveled(t, throttle.LevelOptions{Min: 2, Start: 16, Max: 1000}, throttle.Guard{})
		l.latency = func(_ string, underWay int) time.Duration {
			return time.Duration(max(underWay, 40)) * 50 * time.Millisecond
		}
		l.work(t, 1100, "CopyObject")
		for range 60 {
			time.Sleep(time.Minute)
			l.want(t, "within the hour", 16, 100)
		}
		l.stop()
	})
}

// TestLevelComparesLikeWithLike checks that the level does not fall when most requests are now for
// another operation, which takes ten times as long.
func TestLevelComparesLikeWithLike(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeveled(t, throttle.LevelOptions{Min: 2, Start: 16, Max: 64}, throttle.Guard{})
		l.latency = func(operation string, _ int) time.Duration {
			return map[string]time.Duration{"CopyObject": 50 * time.Millisecond, "ListObjectsV2": 500 * time.Millisecond}[operation]
		}
		l.work(t, 50, "CopyObject")
		l.work(t, 1, "ListObjectsV2")
		time.Sleep(time.Minute)
		l.work(t, 100, "ListObjectsV2")
		time.Sleep(time.Minute)
		l.want(t, "with another mixture", 64, 64)
		l.stop()
	})
}

// TestGatesFollowOneLevel checks that each of two gates of a level admits as many callers as the
// level allows.
func TestGatesFollowOneLevel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		level := throttle.NewLevel(throttle.LevelOptions{Min: 3, Max: 3})
		objects, requests := level.Gate(), level.Gate()
		var all sync.WaitGroup
		for range 12 {
			for _, gate := range []*throttle.Gate{objects, requests} {
				all.Go(func() {
					if err := gate.Acquire(t.Context()); err != nil {
						t.Error(err)
						return
					}
					defer gate.Release()
					time.Sleep(time.Second)
				})
			}
		}
		synctest.Wait()
		if objects.InUse() != 3 || requests.InUse() != 3 {
			t.Errorf("got %d and %d in use, want 3 each", objects.InUse(), requests.InUse())
		}
		all.Wait()
		if objects.InUse()+requests.InUse() != 0 {
			t.Error("got slots in use at the end")
		}
	})
}
