package syncer_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
)

// TestDeadCredentialsStopThePass invalidates the credentials at different moments of a pass over
// thousands of objects. It checks that the pass ends soon with a fatal error and quarantines
// nothing.
func TestDeadCredentialsStopThePass(t *testing.T) {
	dead := &awserr.CredentialsError{Role: "arn:aws:iam::222222222222:role/syncd", Action: "sts:AssumeRole", Err: errors.New("refused")}
	for name, arrange := range map[string]func(w *world){
		"before the first request": func(w *world) { w.signer.fail(dead) },
		"in the middle": func(w *world) {
			w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Skip: 500, Times: 1, Do: func() { w.signer.fail(dead) }})
		},
		"expired": func(w *world) {
			w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Skip: 500, Times: 1, Do: func() { w.cloud.Inject(awsfake.Fault{Kind: awsfake.ExpiredToken}) }})
		},
	} {
		t.Run(name, func(t *testing.T) {
			checkpointtest.Bubble(t, func(t *testing.T) {
				w := newWorld(t)
				w.fill(3000)
				w.cloud.SetLatency(time.Millisecond)
				arrange(w)
				s := w.open(t)
				got, err := s.Run(t.Context())
				if !awserr.Fatal(err) || got.Exit != 1 || got.Error == "" {
					t.Errorf("got %v, exit %d, want the fatal error and exit 1", err, got.Exit)
				}
				if got.SetAside() != 0 {
					t.Errorf("got %d objects set aside, want none: nothing is wrong with them", got.SetAside())
				}
				if n := w.copied(); n > 500+3*8 || w.signer.asked > 600 {
					t.Errorf("got %d copies tried and %d times credentials asked for, want an end soon after the 500th", n, w.signer.asked)
				}
				if result := w.value(t, `syncd_passes_total{mapping="m",result="failed"}`); result != 1 {
					t.Errorf("got %v failed passes, want 1", result)
				}
			})
		})
	}
}

func TestFailedPassIsTakenUp(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(1000)
		w.cloud.SetLatency(time.Millisecond)
		var repair func()
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Skip: 500, Times: 1, Do: func() { repair = w.cloud.Inject(awsfake.Fault{Kind: awsfake.ExpiredToken}) }})
		s := w.open(t)
		first, err := s.Run(t.Context())
		if !awserr.Fatal(err) {
			t.Fatalf("got %v, want a fatal error", err)
		}
		repair()
		second := mustRun(t, s)
		if !second.Resumed || second.Pass != first.Pass {
			t.Errorf("got pass %d, resumed %v, want pass %d resumed", second.Pass, second.Resumed, first.Pass)
		}
		if twice := w.copied() - 1000; twice < 0 || twice > 3*8 {
			t.Errorf("got %d copies too many, want at most those in flight", twice)
		}
		if diff := cmp.Diff(w.source.Keys(), w.destination.Keys()); diff != "" {
			t.Errorf("keys (-source +copy):\n%s", diff)
		}
	})
}

func TestMissingBucketStopsThePass(t *testing.T) {
	for _, side := range []string{"source", "destination"} {
		checkpointtest.Bubble(t, func(t *testing.T) {
			w := newWorld(t)
			w.fill(2000)
			if side == "source" {
				w.live.Place.Bucket = "no-such-bucket"
			} else {
				w.copies.DestinationPlace.Bucket = "no-such-bucket"
			}
			got, err := w.open(t).Run(t.Context())
			if awserr.Classify(err) != awserr.NoBucket || got.Exit != 1 || got.SetAside() != 0 {
				t.Errorf("%s: got %v, %+v, want class %q", side, err, got, awserr.NoBucket)
			}
			if n := w.copied(); n > 2*8 {
				t.Errorf("%s: got %d copies tried, want few", side, n)
			}
		})
	}
}

// TestBrokenListingIsNotTheEnd checks that if a listing fails on its last page, no generation is
// committed and the listing does not count as complete.
func TestBrokenListingIsNotTheEnd(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(2100)
		s := w.open(t)
		repair := w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Skip: 2, Kind: awsfake.InternalError})
		var complete atomic.Bool
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Do: func() {
			if p, _ := s.Progress(); p.Complete {
				complete.Store(true)
			}
		}})
		got, err := s.Run(t.Context())
		if awserr.Classify(err) != awserr.Transient || got.Generation != 0 || got.Copied != 2000 || got.Kept != 0 {
			t.Errorf("got %v, %+v, want the error, the listed objects copied, and no generation", err, got)
		}
		if at := w.value(t, `syncd_last_complete_listing_timestamp_seconds{mapping="m"}`); at != 0 || complete.Load() {
			t.Errorf("got a complete listing at %v, progress complete %v, want neither", at, complete.Load())
		}
		repair()
		if got := mustRun(t, s); got.Copied != 100 || !got.Resumed {
			t.Errorf("got %+v, want the remaining objects copied", got)
		}
		if at := w.value(t, `syncd_last_complete_listing_timestamp_seconds{mapping="m"}`); at == 0 {
			t.Error("got no complete listing after a complete pass")
		}
	})
}
