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

// TestRefusedStretch refuses one prefix, at different positions in the bucket: one pass copies
// everything else.
func TestRefusedStretch(t *testing.T) {
	if testing.Short() {
		t.Skip("its numbers cost too much under the race detector; make test runs it")
	}
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
					t.Errorf("got %+v and %d copies tried, want each of those set aside tried again", again, n)
				}
			})
		})
	}
}

// TestNewObjectsUnderAKeyOfTheirOwn refuses only new objects, which sort after all others.
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
			t.Errorf("got %+v, want the new ones set aside, and the pass at its end", got)
		}
	})
}

// TestFewAreRefused has no more objects than it takes to start a check: they are quarantined.
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

// TestRefusedHereAndThere refuses one object in three: the pass copies nothing out of turn.
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

// TestDrainAfterATrial ends the process when an object was copied out of turn and the walk has not
// reached it: the copy must count as syncd's own.
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
			t.Errorf("got %+v, want the copy that was made out of turn taken for syncd's own", got)
		}
	})
}

// TestManyRefusedStretches refuses a part of each of many prefixes: that is checked a few times,
// not for each prefix.
func TestManyRefusedStretches(t *testing.T) {
	if testing.Short() {
		t.Skip("its numbers cost too much under the race detector; make test runs it")
	}
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
			t.Errorf("got %+v, want all but what is refused copied", got)
		}
		// Listings: the pages, a lookup for each refused object, which may have been deleted, and a
		// few for each check.
		if n := w.cloud.Requests()["ListObjectsV2"] - stretches*refused; n > 90 {
			t.Errorf("got %d listings for %d stretches, want a few", n, stretches)
		}
	})
}
