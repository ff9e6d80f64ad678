package throttle_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go/middleware"

	"syncd/internal/throttle"
)

// flaky returns a handler that fails the given number of attempts. Each attempt takes a second.
func flaky(failures int) func(context.Context, any) (any, middleware.Metadata, error) {
	return func(context.Context, any) (any, middleware.Metadata, error) {
		time.Sleep(time.Second)
		if failures--; failures >= 0 {
			return nil, middleware.Metadata{}, refusal(slowDown)
		}
		return nil, middleware.Metadata{}, nil
	}
}

// afterAnHour retries once, after an hour.
func afterAnHour(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (out middleware.FinalizeOutput, metadata middleware.Metadata, err error) {
	if out, metadata, err = next.HandleFinalize(ctx, in); err == nil {
		return out, metadata, nil
	}
	select {
	case <-time.After(time.Hour):
		return next.HandleFinalize(ctx, in)
	case <-ctx.Done():
		return out, metadata, ctx.Err()
	}
}

// places returns the two ways to get a slot for a request: with Gate.Hold, and with HoldSlot.
func places() map[string]func(*throttle.Gate, context.Context) (context.Context, func(), error) {
	return map[string]func(*throttle.Gate, context.Context) (context.Context, func(), error){
		"turn": func(g *throttle.Gate, ctx context.Context) (context.Context, func(), error) {
			if err := g.Acquire(ctx); err != nil {
				return nil, nil, err
			}
			held, release := g.Hold(ctx)
			return held, release, nil
		},
		"slot": func(g *throttle.Gate, ctx context.Context) (context.Context, func(), error) {
			return throttle.HoldSlot(ctx, g)
		},
	}
}

// TestSlotIsFreeBetweenAttempts checks that other requests can use the only slot while a request
// waits an hour for its retry.
func TestSlotIsFreeBetweenAttempts(t *testing.T) {
	for name, take := range places() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gate := throttle.NewLevel(throttle.LevelOptions{Min: 1, Max: 1}).Gate()
				send := func(failures int) error {
					held, release, err := take(gate, t.Context())
					if err != nil {
						return err
					}
					defer release()
					return guarded(t, &throttle.Guard{}, afterAnHour, flaky(failures)).send(held, "CopyObject")
				}
				start := time.Now()
				first := make(chan error, 1)
				go func() { first <- send(1) }()
				synctest.Wait()
				for range 3 {
					if err := send(0); err != nil {
						t.Fatal(err)
					}
				}
				if took := time.Since(start); took != 4*time.Second {
					t.Errorf("got the other requests complete after %v, want 4s: one attempt and three requests", took)
				}
				if err := <-first; err != nil || time.Since(start) != time.Hour+2*time.Second {
					t.Errorf("got %v after %v, want success with the second attempt", err, time.Since(start))
				}
				if n := gate.InUse(); n != 0 {
					t.Errorf("got %d slots in use, want none", n)
				}
			})
		})
	}
}

// TestCanceledRetryTakesNoSlot checks that a request that is canceled while it waits for its retry
// takes no slot.
func TestCanceledRetryTakesNoSlot(t *testing.T) {
	for name, take := range places() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gate := throttle.NewLevel(throttle.LevelOptions{Min: 1, Max: 1}).Gate()
				for range 5 { // more often than slots can be given up, to notice a lost slot
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					held, release, err := take(gate, ctx)
					if err != nil {
						t.Fatal(err)
					}
					if err := guarded(t, &throttle.Guard{}, afterAnHour, flaky(1)).send(held, "CopyObject"); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("got %v, want the error of the context", err)
					}
					release()
					cancel()
				}
				if n := gate.InUse(); n != 0 {
					t.Errorf("got %d slots in use, want none", n)
				}
				if err := gate.Acquire(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestGivenUpSlotsAreBounded makes every object that is begun wait for a retry for the rest of the
// test. It checks that the number of objects begun is at most three times the number of slots.
func TestGivenUpSlotsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := throttle.NewLevel(throttle.LevelOptions{Min: 4, Max: 4}).Gate()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begun := make(chan struct{}, 100)
		for range 100 {
			go func() {
				if gate.Acquire(ctx) != nil {
					return
				}
				held, release := gate.Hold(ctx)
				defer release()
				begun <- struct{}{}
				_ = guarded(t, &throttle.Guard{}, afterAnHour, flaky(1)).send(held, "CopyObject")
			}()
		}
		time.Sleep(30 * time.Second)
		if n := len(begun); n != 12 {
			t.Errorf("got %d objects begun, want 4 with a slot and 8 that have given it up", n)
		}
		cancel()
		synctest.Wait()
		if n := gate.InUse(); n != 0 {
			t.Errorf("got %d slots in use, want none", n)
		}
	})
}
