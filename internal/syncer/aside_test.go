package syncer_test

import (
	"context"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
)

// TestReplayOfAnotherChoice checks that a replay does not resume a drained replay with a different
// selection.
func TestReplayOfAnotherChoice(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w, s, repair := quarantined(t) // objects 2 and 5 are denied, object 9 has changed
		repair()
		w.cloud.SetLatency(5 * time.Second)
		ctx, drain := context.WithCancel(t.Context())
		time.AfterFunc(7*time.Second, drain)
		first, err := s.Replay(ctx, func(q record.Quarantined) bool { return q.Reason == "changed" })
		t.Logf("first: %+v %v", first, err)
		w.cloud.SetLatency(0)
		got, err := s.Replay(t.Context(), func(q record.Quarantined) bool { return q.Reason == "denied" })
		if err != nil || got.Copied != 2 {
			t.Errorf("got %+v, %v, want the two denied objects copied", got, err)
		}
	})
}

// TestReplayCountsNothingAsKept checks that a replay counts no object as kept while all source
// objects exist.
func TestReplayCountsNothingAsKept(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		_, s, repair := quarantined(t)
		repair()
		if got := replay(t, s, all); got.Kept != 0 {
			t.Errorf("got %d copies counted as kept without a source, want none: %+v", got.Kept, got)
		}
	})
}

// TestReplayWithoutTheBucket checks that a replay does not count objects as deleted if the source
// bucket does not exist.
func TestReplayWithoutTheBucket(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w, s, repair := quarantined(t)
		repair()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		w.copies.SourcePlace.Bucket = "not-there"
		s = w.open(t)
		got, err := s.Replay(t.Context(), all)
		if n := w.quarantineOf(t); err == nil || n != 3 {
			t.Errorf("got %+v, %v and %d left in quarantine, want a failure and all 3", got, err, n)
		}
	})
}

// TestListingAfterAReplay checks that, after a replay and a restart, the metric for the last
// complete listing still has the time of the pass before the replay.
func TestListingAfterAReplay(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w, s, _ := quarantined(t)
		listed := w.value(t, `syncd_last_complete_listing_timestamp_seconds{mapping="m"}`)
		time.Sleep(24 * time.Hour)
		replay(t, s, all)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		w.restart()
		w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Kind: awsfake.AccessDenied})
		s = w.open(t)
		_, err := s.Run(t.Context())
		if now := w.value(t, `syncd_last_complete_listing_timestamp_seconds{mapping="m"}`); now != listed {
			t.Errorf("got a last listing at %v, want %v, as it was before the replay (%v)", now, listed, err)
		}
	})
}

// TestReplayOfNothing checks that a replay with an empty quarantine commits no generation.
func TestReplayOfNothing(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.open(t)
		got, err := s.Replay(t.Context(), all)
		if got.Generation != 0 {
			t.Errorf("got generation %d committed, %v, success %v: ledger rename will refuse", got.Generation, err, w.value(t, `syncd_last_success_timestamp_seconds{mapping="m"}`))
		}
	})
}

// TestQuarantineOfAClockThatWasAhead checks that an object that was quarantined while the clock was
// a year ahead is retried within 30 days after the clock is corrected.
func TestQuarantineOfAClockThatWasAhead(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(1)
		repair := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.AccessDenied})
		w.options.Now = func() time.Time { return time.Now().AddDate(1, 0, 0) }
		s := w.open(t)
		mustRun(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		repair()
		w.options.Now = time.Now
		s = w.open(t)
		time.Sleep(31 * 24 * time.Hour)
		if got := mustRun(t, s); got.Copied != 1 {
			t.Errorf("got %+v, want the object tried again within 30 days", got)
		}
	})
}

// TestMendedInPlace checks that an archived object is copied after its owner copies it onto itself
// in another storage class, although the ETag stays the same.
func TestMendedInPlace(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.source.Put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{StorageClass: "GLACIER"})
		s := w.open(t)
		t.Logf("%+v", mustRun(t, s).Quarantined)
		time.Sleep(time.Hour)
		w.source.Put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{}) // copied onto itself, in STANDARD
		if got := mustRun(t, s); got.Copied != 1 {
			t.Errorf("got %+v, want the new object copied", got)
		}
	})
}
