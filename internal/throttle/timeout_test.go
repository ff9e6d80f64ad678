package throttle_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/deadline"
	"syncd/internal/throttle"
)

// slow returns a controller that admits one request every ten minutes.
func slow() *throttle.Controller {
	return throttle.NewController(throttle.ControllerOptions{Name: "mapping", Cap: 1.0 / 600})
}

// TestTimeoutExcludesWaitsForARate checks that requests that wait for a rate much longer than their
// timeout do not time out.
func TestTimeoutExcludesWaitsForARate(t *testing.T) {
	for name, guard := range map[string]func() *throttle.Guard{
		"cap":        func() *throttle.Guard { return &throttle.Guard{Cap: slow()} },
		"cap of KMS": func() *throttle.Guard { return &throttle.Guard{KMSCap: slow()} },
		"KMS": func() *throttle.Guard {
			return &throttle.Guard{KMS: throttle.NewQuota(throttle.ControllerOptions{Name: "mapping", Cap: 1.0 / 600}).Draw()}
		},
		"service": func() *throttle.Guard {
			return &throttle.Guard{Service: throttle.NewQuota(throttle.ControllerOptions{Name: "mapping", Cap: 1.0 / 600}).Draw()}
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, &throttle.Meter{}, guard())
			w.cloud.SetLatency(10 * time.Second)
			start := time.Now()
			err := deadline.Do(t.Context(), time.Minute, func(ctx context.Context) error {
				var requests sync.WaitGroup
				for range 3 {
					requests.Go(func() {
						if err := w.copy(ctx); err != nil {
							t.Errorf("%s: %v", name, err)
						}
					})
				}
				requests.Wait()
				return ctx.Err()
			})
			if took := time.Since(start); took < 20*time.Minute {
				t.Errorf("%s: three requests took %s, want 20 minutes", name, took)
			}
			if err != nil {
				t.Errorf("%s: got %v before the timeout", name, err)
			}
		})
	}
}

// TestTimeoutCountsTheAnswer checks that a request without a response times out, both without and
// after a wait for a rate.
func TestTimeoutCountsTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &throttle.Meter{}, &throttle.Guard{Cap: slow()})
		w.cloud.Inject(awsfake.Fault{Kind: awsfake.Timeout})
		start := time.Now()
		for range 2 {
			err := deadline.Do(t.Context(), time.Minute, w.copy)
			if _, ok := errors.AsType[*awserr.TimeoutError](err); !ok || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want the deadline exceeded", err)
			}
		}
		if took := time.Since(start); took < 11*time.Minute-time.Second || took > 11*time.Minute+time.Second {
			t.Errorf("got both ended after %s, want 11 minutes: one each for the response, nine for the rate", took)
		}
	})
}

// TestTimeoutThatIsNotNeeded checks that no timer is left running after a call that did not time
// out, even if a wait for a rate ends after the call.
func TestTimeoutThatIsNotNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &throttle.Meter{}, &throttle.Guard{Cap: slow()})
		var cause func() error
		var waiting sync.WaitGroup
		err := deadline.Do(t.Context(), time.Minute, func(ctx context.Context) error {
			cause = func() error { return context.Cause(ctx) }
			if err := w.copy(ctx); err != nil {
				return err
			}
			waiting.Go(func() {
				if err := w.copy(ctx); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, want %v", err, context.Canceled)
				}
			})
			synctest.Wait()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		waiting.Wait()
		time.Sleep(time.Hour)
		if got := cause(); !errors.Is(got, context.Canceled) {
			t.Errorf("got cause %v, want %v", got, context.Canceled)
		}
	})
}
