package throttle_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go/middleware"

	"syncd/internal/awserr"
	"syncd/internal/throttle"
)

// settled is the time within which a controller must find its rate.
const settled = 10 * time.Second

// shares is the result of a measurement: served is the number of served requests divided by the
// number of possible requests, and refused is the part of the attempts that was refused.
type shares struct{ served, refused float64 }

// measure watches a service for a while.
func measure(s *service, operation string, d time.Duration, possible float64) shares {
	served, refused := s.counts(operation)
	time.Sleep(d)
	servedAfter, refusedAfter := s.counts(operation)
	taken, not := float64(servedAfter-served), float64(refusedAfter-refused)
	return shares{served: taken / d.Seconds() / possible, refused: not / max(taken+not, 1)}
}

// TestRateFindsItsLevel checks a minute (less under the race detector) with a service that refuses
// everything above its rate. At least 90 % of the rate must be used, under 3 % of the attempts may
// be refused after the first seconds, and no call may fail.
func TestRateFindsItsLevel(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		allowed  float64
		burst    float64 // how many seconds of unused rate a client can use later
		latency  time.Duration
		inFlight int
	}{
		{"near, few", 3500, 0.1, 20 * time.Millisecond, 64},
		{"near, many", 3500, 0.1, 20 * time.Millisecond, 1000},
		{"far, few", 3500, 0.1, 200 * time.Millisecond, 64},
		{"far, many", 2500, 0.1, 200 * time.Millisecond, 1000},
		{"low quota, few", 1000, 0.1, 20 * time.Millisecond, 64},
		{"no burst", 1000, 0.01, 20 * time.Millisecond, 1000},
		{"long burst", 1000, 1, 200 * time.Millisecond, 1000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newService(tt.latency, newQuota(tt.allowed, tt.burst*tt.allowed), quota{})
				load := newLoad()
				load.add(t, tt.inFlight, newClient(t, s, &throttle.Guard{Service: unlimited()}), "CopyObject", nil)
				time.Sleep(settled)
				got := measure(s, "CopyObject", watched, min(tt.allowed, float64(tt.inFlight)/tt.latency.Seconds()))
				if lost := load.stop(); got.served < 0.9 || got.refused >= 0.03 || lost > 0 {
					t.Errorf("got %.1f %% of the rate used, %.2f %% refused, %d calls failed; want at least 90 %%, under 3 %%, none", 100*got.served, 100*got.refused, lost)
				}
			})
		})
	}
}

func TestRateFollowsTheService(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(s *service) // after half a minute
		back   func(s *service) // after another half minute
		want   float64          // rate served afterwards
		within time.Duration
	}{
		{"partition split", func(*service) {}, func(s *service) { s.s3.rate, s.s3.burst = 2000, 200 }, 2000, 15 * time.Second},
		{"outage", func(s *service) { s.outage = true }, func(s *service) { s.outage = false }, 1000, 10 * time.Second},
		{"lower for a while", func(s *service) { s.s3.rate = 50 }, func(s *service) { s.s3.rate = 1000 }, 1000, 25 * time.Second},
		{"lower for good", func(*service) {}, func(s *service) { s.s3.rate, s.s3.burst = 200, 20 }, 200, 10 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newService(50*time.Millisecond, newQuota(1000, 100), quota{})
				load := newLoad()
				load.add(t, 500, newClient(t, s, &throttle.Guard{Service: unlimited()}), "CopyObject", nil)
				time.Sleep(30 * time.Second)
				s.set(func() { tt.change(s) })
				time.Sleep(30 * time.Second)
				s.set(func() { tt.back(s) })
				time.Sleep(tt.within)
				got := measure(s, "CopyObject", 20*time.Second, tt.want)
				if load.stop(); got.served < 0.9 || got.refused >= 0.03 {
					t.Errorf("got %.1f %% of the rate used, %.2f %% refused, want at least 90 %%, under 3 %%", 100*got.served, 100*got.refused)
				}
			})
		})
	}
}

// TestRateKeepsProbing checks that during a long outage requests are still sent, but only at a low
// rate.
func TestRateKeepsProbing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(20*time.Millisecond, newQuota(1000, 100), quota{})
		s.outage = true
		c := unlimited()
		load := newLoad()
		load.add(t, 100, newClient(t, s, &throttle.Guard{Service: c}), "CopyObject", nil)
		time.Sleep(30 * time.Second)
		_, before := s.counts("CopyObject")
		time.Sleep(time.Minute)
		_, after := s.counts("CopyObject")
		if asked := after - before; asked < 50 || asked > 70 {
			t.Errorf("got %d attempts in a minute of outage, want about 60", asked)
		}
		if rate, limited := c.Rate(); rate != 1 || !limited {
			t.Errorf("got rate %v, %v, want 1, true", rate, limited)
		}
		s.set(func() { s.outage = false })
		load.stop()
		// All answers of the service have arrived now.
		if _, refused := s.counts("CopyObject"); c.Throttles() != int64(refused) {
			t.Errorf("got %d throttles, want %d", c.Throttles(), refused)
		}
	})
}

// TestRateSurvivesIdleTime checks that the rate does not grow during an idle hour.
func TestRateSurvivesIdleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(20*time.Millisecond, newQuota(1000, 100), quota{})
		c := unlimited()
		client := newClient(t, s, &throttle.Guard{Service: c})
		busy := newLoad()
		busy.add(t, 200, client, "CopyObject", nil)
		time.Sleep(settled)
		busy.stop()
		before, _ := c.Rate()
		for range 3600 {
			if err := client.send(t.Context(), "CopyObject"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if after, _ := c.Rate(); after > before || before > 1500 {
			t.Errorf("got rate %.0f after an hour with little to do, %.0f before; want no higher rate", after, before)
		}
	})
}

// TestKMSSlowsOnlyWhatNeedsIt lets KMS allow 500 copies per second, and S3 more than is sent. It
// checks that copies are limited to the rate of KMS and that listings are not slowed.
func TestKMSSlowsOnlyWhatNeedsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(20*time.Millisecond, quota{}, newQuota(1000, 100))
		guard := &throttle.Guard{
			Service: unlimited(), KMS: unlimited(),
		}
		client, load := newClient(t, s, guard), newLoad()
		load.add(t, 200, client, "CopyObject", nil)
		load.add(t, 4, client, "ListObjectsV2", nil)
		time.Sleep(settled)
		var copies, lists shares
		var both sync.WaitGroup
		both.Go(func() { copies = measure(s, "CopyObject", time.Minute, 500) })
		both.Go(func() { lists = measure(s, "ListObjectsV2", time.Minute, 200) })
		both.Wait()
		if lost := load.stop(); copies.served < 0.9 || copies.refused >= 0.03 || lost > 0 {
			t.Errorf("got %.1f %% of the rate of KMS, %.2f %% refused, %d calls failed; want at least 90 %%, under 3 %%, none", 100*copies.served, 100*copies.refused, lost)
		}
		if lists.served < 0.97 {
			t.Errorf("got listings at %.1f %% of their speed, want full speed", 100*lists.served)
		}
		if rate, limited := guard.Service.Rate(); limited || guard.Service.Throttles() != 0 {
			t.Errorf("got the service limited to %v with %d throttles, want neither", rate, guard.Service.Throttles())
		}
		if rate, limited := guard.KMS.Rate(); !limited || rate < 800 || rate > 1500 {
			t.Errorf("got a KMS rate of %.0f, limited %v; want about 1000 requests per second", rate, limited)
		}
	})
}

func TestCapsAreExact(t *testing.T) {
	for _, tt := range []struct {
		name      string
		guard     func(*throttle.Controller) *throttle.Guard
		cap       float64
		operation string
		want      float64 // attempts per second
	}{
		{"high", func(c *throttle.Controller) *throttle.Guard { return &throttle.Guard{Cap: c} }, 2000, "CopyObject", 2000},
		{"odd", func(c *throttle.Controller) *throttle.Guard { return &throttle.Guard{Cap: c} }, 333, "CopyObject", 333},
		{"low", func(c *throttle.Controller) *throttle.Guard { return &throttle.Guard{Cap: c} }, 2, "CopyObject", 2},
		{"KMS, two a copy", func(c *throttle.Controller) *throttle.Guard { return &throttle.Guard{KMSCap: c} }, 700, "CopyObject", 350},
		{"KMS, one a read", func(c *throttle.Controller) *throttle.Guard { return &throttle.Guard{KMSCap: c} }, 700, "GetObject", 700},
		{"KMS, not asked", func(c *throttle.Controller) *throttle.Guard { return &throttle.Guard{KMSCap: c} }, 7, "ListObjectsV2", 5000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newService(20*time.Millisecond, quota{}, quota{})
				load := newLoad()
				load.add(t, 100, newClient(t, s, tt.guard(throttle.NewController(throttle.ControllerOptions{Cap: tt.cap}))), tt.operation, nil)
				got := measure(s, tt.operation, time.Minute, tt.want)
				if load.stop(); math.Abs(got.served-1) > 0.02 {
					t.Errorf("got %.4f of the cap, want 1 within 2 %%", got.served)
				}
			})
		})
	}
}

func TestRateOfControllers(t *testing.T) {
	for _, tt := range []struct {
		name    string
		c       *throttle.Draw
		rate    float64
		limited bool
	}{
		{"none", nil, 0, false},
		{"new", unlimited(), 0, false},
		{"capped", throttle.NewQuota(throttle.ControllerOptions{Cap: 12.5}).Draw(), 12.5, true},
	} {
		if rate, limited := tt.c.Rate(); rate != tt.rate || limited != tt.limited || tt.c.Throttles() != 0 {
			t.Errorf("%s: got %v, %v, %d throttles, want %v, %v, none", tt.name, rate, limited, tt.c.Throttles(), tt.rate, tt.limited)
		}
	}
}

// TestWaitForARateEndsWithItsContext checks that a wait ends with its context, and that callers
// queued after it are not delayed by it.
func TestWaitForARateEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(0, quota{}, quota{})
		client := newClient(t, s, &throttle.Guard{Cap: throttle.NewController(throttle.ControllerOptions{Name: "cap", Cap: 1})})
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if err := client.send(t.Context(), "CopyObject"); err != nil {
			t.Fatal(err)
		}
		var senders sync.WaitGroup
		for range 100 {
			senders.Go(func() {
				err := client.send(ctx, "CopyObject")
				if awserr.Classify(err) != awserr.Canceled || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 500*time.Millisecond {
					t.Errorf("got %v after %v, want class %q after 500ms", err, time.Since(start), awserr.Canceled)
				}
			})
		}
		synctest.Wait()
		if err := client.send(t.Context(), "CopyObject"); err != nil {
			t.Error(err)
		}
		if got := time.Since(start); got != time.Second {
			t.Errorf("got the next one sent after %v, want 1s", got)
		}
		senders.Wait()
		if served, _ := s.counts("CopyObject"); served != 2 {
			t.Errorf("got %d sent, want 2", served)
		}
	})
}

func TestBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perSecond, parts = 100 << 20, 600
		bytes := throttle.NewBytes(perSecond)
		start := time.Now()
		var copies sync.WaitGroup
		for i := range parts {
			copies.Go(func() {
				if err := bytes.Wait(t.Context(), int64(i%20+1)<<20); err != nil {
					t.Error(err)
				}
			})
		}
		copies.Wait()
		const moved = parts / 20 * 210 << 20
		if got := moved / time.Since(start).Seconds() / perSecond; math.Abs(got-1) > 0.02 {
			t.Errorf("got %.3f of the cap, want 1 within 2 %%", got)
		}
		if err := bytes.Wait(t.Context(), math.MaxInt64); err != nil { // must not overflow
			t.Error(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		if err := bytes.Wait(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v from a wait of years, want the error of the context", err)
		}
	})
}

func TestBytesWithoutACap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		for _, bytes := range []*throttle.Bytes{nil, {}, throttle.NewBytes(0)} {
			for range 3 {
				if err := bytes.Wait(t.Context(), 1<<50); err != nil {
					t.Error(err)
				}
			}
		}
		if got := time.Since(start); got != 0 {
			t.Errorf("got a wait of %v, want none", got)
		}
	})
}

func BenchmarkGuard(b *testing.B) {
	for _, tt := range []struct {
		name  string
		guard *throttle.Guard
	}{
		{"without", &throttle.Guard{}},
		{"all", &throttle.Guard{
			Level:   throttle.NewLevel(throttle.LevelOptions{Min: 1, Start: 64, Max: 1024}),
			Service: unlimited(), KMS: unlimited(),
			Cap: throttle.NewController(throttle.ControllerOptions{Cap: 1e9}), KMSCap: throttle.NewController(throttle.ControllerOptions{Cap: 1e9}),
		}},
	} {
		b.Run(tt.name, func(b *testing.B) {
			answer := func(context.Context, any) (any, middleware.Metadata, error) { return nil, middleware.Metadata{}, nil }
			c := guarded(b, tt.guard, once, answer)
			for b.Loop() {
				if err := c.send(b.Context(), "CopyObject"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
