package line_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"syncd/internal/daemon/line"
	"syncd/internal/figure"
	"syncd/internal/metrics"
)

func counts(t *testing.T, l *line.Line, running, waiting int64) {
	t.Helper()
	synctest.Wait()
	if a, b, c := l.Counts(); a != 1 || b != running || c != waiting {
		t.Errorf("got limit %d, %d running, %d waiting, want 1, %d, %d", a, b, c, running, waiting)
	}
}

// TestATurnEndsWhenAnotherWaits checks that a pass keeps its place while no other mapping waits.
func TestATurnEndsWhenAnotherWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := line.New(1, metrics.New(prometheus.NewRegistry(), figure.NewBoard()))
		first, err := l.Member().Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var yields atomic.Int64
		first.Begin(func() { yields.Add(1) })
		time.Sleep(time.Hour)
		counts(t, l, 1, 0)
		if n := yields.Load(); n != 0 {
			t.Errorf("got yield called %d times, want 0", n)
		}
		got := make(chan error, 1)
		go func() {
			turn, err := l.Member().Wait(t.Context())
			if err == nil {
				defer turn.End()
			}
			got <- err
		}()
		counts(t, l, 1, 1)
		time.Sleep(time.Minute)
		if n := yields.Load(); n != 1 {
			t.Errorf("got yield called %d times, want 1", n)
		}
		first.End()
		if err := <-got; err != nil {
			t.Error(err)
		}
		counts(t, l, 0, 0)
	})
}

// TestOneWhoLeavesTakesNoPlace checks that a member that stops waiting takes no place, so that
// another member gets it.
func TestOneWhoLeavesTakesNoPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := line.New(1, metrics.New(prometheus.NewRegistry(), figure.NewBoard()))
		turn, err := l.Member().Wait(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := l.Member().Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
		turn.End()
		counts(t, l, 0, 0)
	})
}
