package syncer_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/syncer"
)

// TestRefusedStretch refuses one prefix, at different positions in the bucket. It checks that one
// pass copies everything else, and that a later pass retries the refused objects.
func TestRefusedStretch(t *testing.T) {
	skipIfShort(t)
	bySource := func(w *world, keys string) { w.deny(w.source, keys, "s3:GetObject") }
	byDestination := func(w *world, keys string) { w.deny(w.destination, keys, "s3:PutObject") }
	for where, tt := range map[string]struct {
		deny   func(w *world, keys string)
		prefix string
	}{
		"at the beginning":                 {bySource, "a/"},
		"in the middle":                    {bySource, "m/"},
		"at the end":                       {bySource, "z/"},
		"at the beginning, when written":   {byDestination, "a/"},
		"in the middle, when written":      {byDestination, "m/"},
		"at the end, when written":         {byDestination, "z/"},
		"of numbers, at the beginning":     {bySource, "a/k0000"},
		"of numbers, in the middle of all": {bySource, "m/k0005"},
	} {
		t.Run(where, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				w := newWorld(t)
				refused := int64(0)
				for _, dir := range []string{"a/", "m/", "z/"} {
					for i := range 150 {
						w.put(dir + name(i))
						if strings.HasPrefix(dir+name(i), tt.prefix) {
							refused++
						}
					}
				}
				tt.deny(w, tt.prefix+"*")
				s := w.open(t)
				got := mustRun(t, s)
				if got.Copied != 450-refused || got.Quarantined["denied"] != refused || got.Result != "quarantined" || got.Adopted != 0 {
					t.Errorf("got %+v, want %d set aside and all others copied", got, refused)
				}
				if n := w.copied() - 450; n < 0 || n > 40 {
					t.Errorf("got %d copies tried more than there are objects, want few", n)
				}
				time.Sleep(7 * time.Hour)
				w.cloud.ResetRequests()
				again := mustRun(t, s) // all objects are due
				if n := w.copied(); n < refused || n > refused+40 || again.Quarantined["denied"] != refused || again.Unchanged != 450-refused {
					t.Errorf("got %+v and %d copies tried, want each quarantined object tried again", again, n)
				}
			})
		})
	}
}

// TestNewObjectsUnderAKeyOfTheirOwn checks that a pass reaches its end if only new objects are
// refused, which sort after all old objects.
func TestNewObjectsUnderAKeyOfTheirOwn(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 300 {
			w.put(fmt.Sprintf("2024/%03d", i))
		}
		s := w.open(t)
		mustRun(t, s)
		for i := range 300 {
			w.put(fmt.Sprintf("2025/%03d", i))
		}
		w.deny(w.source, "2025/*", "s3:GetObject")
		if got := mustRun(t, s); got.Quarantined["denied"] != 300 || got.Unchanged != 300 {
			t.Errorf("got %+v, want the new objects set aside and the pass complete", got)
		}
	})
}

// TestFewAreRefused checks that refused objects are quarantined if they are too few to be judged as
// a refusal of everything.
func TestFewAreRefused(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(31)
		w.deny(w.source, "*", "s3:GetObject")
		if got := mustRun(t, w.open(t)); got.Quarantined["denied"] != 31 || got.Result != "quarantined" {
			t.Errorf("got %+v, want all set aside", got)
		}
	})
}

// TestRefusedHereAndThere checks that a pass tries each object only once, in key order, if one
// object in three is refused.
func TestRefusedHereAndThere(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 600 {
			w.put(fmt.Sprintf("%s-%d", name(i), i%3))
		}
		w.deny(w.source, "*-0", "s3:GetObject")
		got := mustRun(t, w.open(t))
		if got.Copied != 400 || got.Quarantined["denied"] != 200 || w.copied() != 600 {
			t.Errorf("got %+v with %d copies tried, want each object tried once", got, w.copied())
		}
	})
}

// TestDrainAfterATrial drains a pass after an object was copied out of turn and before the walk
// reaches the object. It checks that the copy still counts as syncd's own.
func TestDrainAfterATrial(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range 300 {
			w.put("a/" + name(i))
			w.put("z/" + name(i))
		}
		w.deny(w.source, "a/*", "s3:GetObject")
		w.cloud.SetLatency(time.Second)
		s := w.open(t)
		ctx, drain := context.WithCancel(t.Context())
		go func() {
			for len(w.destination.Keys()) == 0 {
				time.Sleep(time.Second)
			}
			drain()
		}()
		if got, err := s.Run(ctx); !errors.Is(err, syncer.ErrDrained) || got.Copied != 0 {
			t.Fatalf("got %v, %+v, want a drain before anything is copied in turn", err, got)
		}
		w.cloud.SetLatency(0)
		got := mustRun(t, s)
		if got.Copied+got.Adopted != 300 || got.SetAside() != 300 {
			t.Errorf("got %+v, want the copy that was made out of turn to count as syncd's own", got)
		}
	})
}

// TestManyRefusedStretches refuses a part of each of many prefixes. It checks that other key ranges
// are tried only a few times, instead of once for each prefix.
func TestManyRefusedStretches(t *testing.T) {
	skipIfShort(t)
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		const stretches, refused = 60, 50
		for i := range stretches {
			w.put(fmt.Sprintf("d%03d/allowed", i))
			for k := range refused {
				w.put(fmt.Sprintf("d%03d/refused%02d", i, k))
			}
		}
		w.deny(w.source, "*/refused*", "s3:GetObject")
		got := mustRun(t, w.open(t))
		if got.Copied != stretches || got.Quarantined["denied"] != stretches*refused {
			t.Errorf("got %+v, want everything copied except the refused objects", got)
		}
		// Listings: the pages, one lookup for each refused object, in case it was deleted, and a
		// few for each check.
		if n := w.cloud.Requests()["ListObjectsV2"] - stretches*refused; n > 90 {
			t.Errorf("got %d listings for %d refused ranges, want a few", n, stretches)
		}
	})
}
