package daemon_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/daemon"
)

// TestVerifications checks that a verification runs after the first complete pass that ends once it is
// due, that it is tried again after the next pass if it fails, and that a failed pass causes none.
func TestVerifications(t *testing.T) {
	const m = time.Minute
	for _, tt := range []struct {
		name        string
		fail, error error // of verifications, and of passes
		want        []time.Duration
	}{
		// Passes start every 10 minutes and take one.
		{"due every 25 minutes", nil, nil, []time.Duration{31 * m, 61 * m, 91 * m}},
		{"failing", errors.New("denied"), nil, []time.Duration{31 * m, 41 * m, 51 * m, 61 * m, 71 * m, 81 * m, 91 * m}},
		{"failing passes", nil, errors.New("denied"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				a := newAsked(t)
				w := &worker{passes: &passes{took: m, err: tt.error, origin: time.Now()}, fail: tt.fail}
				o := a.options("a", every(10*m), "")
				o.Mappings[0].Open = func(context.Context) (daemon.Runner, error) { return w, nil }
				o.Mappings[0].Verify = every(25 * m)
				began := time.Now()
				_, stop := start(t, o)
				time.Sleep(95 * m)
				stop()
				var got []time.Duration
				for _, at := range w.verified {
					got = append(got, at.Sub(began).Round(m))
				}
				if !slices.Equal(got, tt.want) {
					t.Errorf("got verifications after %v, want %v", got, tt.want)
				}
			})
		})
	}
}

// TestLongVerification runs a verification that takes hours. It checks that passes start on time meanwhile,
// and that the daemon stops without waiting for its end.
func TestLongVerification(t *testing.T) {
	const m = time.Minute
	checkpointtest.Bubble(t, func(t *testing.T) {
		a := newAsked(t)
		w := &worker{passes: &passes{took: m, origin: time.Now()}, verifies: 10 * time.Hour}
		o := a.options("a", every(10*m), "")
		o.Mappings[0].Open = func(context.Context) (daemon.Runner, error) { return w, nil }
		o.Mappings[0].Verify = every(5 * m)
		_, stop := start(t, o)
		time.Sleep(95 * m)
		began := time.Now()
		stop()
		if got := w.starts(); len(got) != 9 || len(w.verified) != 1 || time.Since(began) > m {
			t.Errorf("got passes at %v, %d verifications, and the end after %v, want nine, one, and at once", got, len(w.verified), time.Since(began))
		}
	})
}
