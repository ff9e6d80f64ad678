package control_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/control"
)

// TestIDsSortByTime checks that IDs sort by time, even within a second.
func TestIDsSortByTime(t *testing.T) {
	at := time.Date(2026, 11, 29, 18, 0, 0, 0, time.UTC)
	var ids []string
	for i := range 50 {
		ids = append(ids, control.NewID(at.Add(time.Duration(i)*time.Microsecond)))
	}
	if !slices.IsSorted(ids) {
		t.Errorf("got %q, want them in order", ids)
	}
}

// TestLatestModeCounts checks that the last requested pause or resume decides, regardless of the
// order in which the requests are carried out.
func TestLatestModeCounts(t *testing.T) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			desk := control.NewDesk(store, func() time.Time { return request(control.Pause).At.Add(time.Minute) })
			ctx := t.Context()
			pause, resume, again := laterRequest(control.Pause, 0), laterRequest(control.Resume, time.Nanosecond), laterRequest(control.Pause, 2*time.Nanosecond)
			again.Who = "bob@laptop"
			if _, err := desk.Resume(ctx, resume); err != nil {
				t.Fatal(err)
			}
			_, err := desk.Pause(ctx, pause)
			superseded, ok := errors.AsType[*control.SupersededError](err)
			if !ok || !strings.Contains(err.Error(), "superseded by a later resume by alice@laptop at 2026-11-29T18:00:00Z") || superseded.Hint() == "" {
				t.Errorf("got %v, want the older pause superseded", err)
			}
			if _, err := desk.Pause(ctx, again); err != nil {
				t.Fatal(err)
			}
			if _, err = desk.Resume(ctx, resume); err == nil || !strings.Contains(err.Error(), "superseded by a later pause by bob@laptop") {
				t.Errorf("got %v, want the older resume superseded", err)
			}
			if got, isPaused, err := desk.PausedOf(ctx, "m"); !isPaused || err != nil || got.Who != again.Who {
				t.Errorf("got %+v, %v, %v, want the pause of %s", got, isPaused, err, again.Who)
			}
			if got, err := desk.Pause(ctx, pause); err != nil || got.Who != again.Who {
				t.Errorf("got %+v, %v of an older pause of a paused mapping, want the existing pause", got, err)
			}
			names, err := store.List(ctx, control.Prefix)
			if err != nil || len(names) != 1 {
				t.Errorf("got the records %q, %v, want the one that counts", names, err)
			}
		})
	}
}

// TestModeOfWrongClock checks that a pause can be ended if its time comes from a clock that is far
// ahead.
func TestModeOfWrongClock(t *testing.T) {
	ctx, desk := t.Context(), control.NewDesk(checkpointtest.NewMemory(), func() time.Time { return request(control.Pause).At })
	if _, err := desk.Pause(ctx, laterRequest(control.Pause, 365*24*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Resume(ctx, request(control.Resume)); err != nil {
		t.Errorf("got %v, want it resumed", err)
	}
	if _, isPaused, err := desk.PausedOf(ctx, "m"); isPaused || err != nil {
		t.Errorf("got %v, %v, want it resumed", isPaused, err)
	}
}

// TestModesAreSwept checks that the record of a resume stays until it can no longer supersede an
// open request.
func TestModesAreSwept(t *testing.T) {
	ctx, store := t.Context(), checkpointtest.NewMemory()
	now := request(control.Pause).At
	desk := control.NewDesk(store, func() time.Time { return now })
	if _, err := desk.Resume(ctx, request(control.Resume)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		after time.Duration
		want  int
	}{{control.ExpireAfter, 1}, {control.ExpireAfter + time.Hour, 0}} {
		now = request(control.Pause).At.Add(tt.after)
		board, err := desk.Look(ctx)
		if err == nil {
			err = desk.Sweep(ctx, board)
		}
		names, listed := store.List(ctx, control.Prefix)
		if err != nil || listed != nil || len(names) != tt.want {
			t.Errorf("after %s: got %q, %v, %v, want %d records", tt.after, names, err, listed, tt.want)
		}
	}
}

// TestIsAbandoned checks that a claim is abandoned if it is old and its process does not hold the
// lease.
func TestIsAbandoned(t *testing.T) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			now := time.Now()
			ctx, desk, r := t.Context(), control.NewDesk(store, func() time.Time { return now }), request(control.Trigger)
			if isOwn, err := desk.Claim(ctx, r, 1, control.Claim{By: "a/1", Nonce: "x"}); !isOwn || err != nil {
				t.Fatal(isOwn, err)
			}
			is := func(want bool, when string) {
				t.Helper()
				if got, err := desk.IsAbandoned(ctx, r, 1); got != want || err != nil {
					t.Errorf("%s: got %v, %v, want %v", when, got, err, want)
				}
			}
			is(false, "at once")
			now = now.Add(3 * time.Minute)
			is(true, "later")
			lease, err := store.Acquire(ctx, "m", "a/1")
			if err != nil {
				t.Fatal(err)
			}
			is(false, "while it holds the lease")
			if err := lease.Release(); err != nil {
				t.Fatal(err)
			}
		})
	}
}
