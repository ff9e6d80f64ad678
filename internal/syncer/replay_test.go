package syncer_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
	"syncd/internal/syncer"
	"syncd/internal/syncer/planner"
)

// all selects everything.
func all(record.Quarantined) bool { return true }

// quarantined returns a world of ten objects, three of them in quarantine, and a func that makes
// those three copyable.
func quarantined(t *testing.T) (w *world, s *syncer.Syncer, repair func()) {
	t.Helper()
	w = newWorld(t)
	w.fill(10)
	var repairs []func()
	for _, i := range []int{2, 5, 9} {
		kind := awsfake.AccessDenied
		if i == 9 {
			kind = awsfake.PreconditionFailed
		}
		repairs = append(repairs, w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(i), Kind: kind}))
	}
	s = w.open(t)
	if got := mustRun(t, s); got.Copied != 7 || got.SetAside() != 3 {
		t.Fatalf("got %+v, want 7 copied and 3 set aside", got)
	}
	if n := w.value(t, `syncd_quarantine_objects{mapping="m",reason="denied"}`); n != 2 {
		t.Errorf("got %v denied objects shown in quarantine, want 2", n)
	}
	return w, s, func() {
		for _, repair := range repairs {
			repair()
		}
	}
}

func replay(t *testing.T, s *syncer.Syncer, choose planner.Selector) syncer.Summary {
	t.Helper()
	summary, err := s.Replay(t.Context(), choose)
	if err != nil {
		t.Fatalf("replay: %v", err)
	}
	return summary
}

// TestReplay checks that a replay copies the objects in quarantine, due or not, and nothing else,
// and that it does not list the source.
func TestReplay(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w, s, repair := quarantined(t)
		listed := w.value(t, `syncd_last_complete_listing_timestamp_seconds{mapping="m"}`)
		time.Sleep(time.Second)
		if got := replay(t, s, all); got.Listed != 3 || got.SetAside() != 3 || got.Exit != 3 {
			t.Errorf("before the repair: got %+v, want three tried in vain", got)
		}
		repair()
		w.cloud.ResetRequests()
		got := replay(t, s, func(q record.Quarantined) bool { return q.Reason == "denied" })
		if got.Listed != 2 || got.Copied != 2 || got.Exit != 0 || w.copied() != 2 || w.cloud.Requests()["ListObjectsV2"] != 0 {
			t.Errorf("by reason: got %+v and requests %v, want the two denied objects copied and nothing listed", got, w.cloud.Requests())
		}
		if now := w.value(t, `syncd_last_complete_listing_timestamp_seconds{mapping="m"}`); now != listed {
			t.Errorf("the last listing moved from %v to %v although no listing was made", listed, now)
		}
		before := w.stored(t)
		got = replay(t, s, func(q record.Quarantined) bool { return q.Key == name(0) })
		if got.Listed != 0 || got.Pass != 0 || got.Exit != 0 || got.Generation == 0 || !slices.Equal(w.stored(t), before) {
			t.Errorf("of an absent key: got %+v and records\n%q\nwant no pass and records\n%q", got, w.stored(t), before)
		}
		if got := replay(t, s, func(q record.Quarantined) bool { return q.Key == name(9) }); got.Copied != 1 {
			t.Errorf("by key: got %+v, want the last object copied", got)
		}
		if got := replay(t, s, all); got.Listed != 0 || got.Exit != 0 {
			t.Errorf("of an empty quarantine: got %+v, want nothing", got)
		}
		if got := mustRun(t, s); got.Unchanged != 10 || got.Copied != 0 {
			t.Errorf("the next pass: got %+v, want all unchanged", got)
		}
		if n := w.value(t, `syncd_quarantine_objects{mapping="m",reason="denied"}`); n != 0 {
			t.Errorf("got %v denied objects shown in quarantine at the end, want none", n)
		}
	})
}

// TestReplayOfWhatChanged checks that a replay copies the current version, and drops objects that
// no longer exist.
func TestReplayOfWhatChanged(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w, s, repair := quarantined(t)
		repair()
		time.Sleep(time.Second)
		w.source.Put(name(2), awsfake.BytesBody([]byte("newer")), awsfake.PutOptions{})
		w.source.Delete(name(5))
		got := replay(t, s, all)
		if copied, err := w.destination.Read(name(2)); got.Copied != 2 || err != nil || string(copied) != "newer" {
			t.Errorf("got %+v and the copy %q, %v, want two copied, one of them a newer version", got, copied, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if aside := w.quarantine(t); len(aside) != 0 {
			t.Errorf("got %v left in quarantine, want none", aside)
		}
	})
}

// TestReplayNeverBreaksIntoAPass checks that a replay is refused while a pass is unfinished,
// because it would discard the progress of that pass. It also checks that no pass resumes an
// interrupted replay, which is not a listing of the source.
func TestReplayNeverBreaksIntoAPass(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w, s, repair := quarantined(t)
		w.fill(1000)
		w.cloud.SetLatency(time.Second)
		drained := func(run func(context.Context) (syncer.Summary, error)) {
			ctx, drain := context.WithCancel(t.Context())
			time.AfterFunc(12*time.Second, drain)
			got, err := run(ctx)
			if !errors.Is(err, syncer.ErrDrained) || got.Copied == 0 {
				t.Fatalf("got %+v, %v, want a part done", got, err)
			}
		}
		drained(s.Run)
		if got, err := s.Replay(t.Context(), all); !errors.Is(err, syncer.ErrUnfinished) || w.quarantineOf(t) != 3 {
			t.Errorf("got %+v, %v, want the replay refused", got, err)
		}
		w.cloud.SetLatency(0)
		if got := mustRun(t, s); !got.Resumed {
			t.Errorf("got %+v, want the unfinished pass resumed", got)
		}
		repair()
		w.cloud.SetLatency(5 * time.Second)
		drained(func(ctx context.Context) (syncer.Summary, error) { return s.Replay(ctx, all) })
		w.cloud.SetLatency(0)
		if got := mustRun(t, s); got.Resumed || got.Listed != 1000 {
			t.Errorf("got %+v, want a new pass over the whole source", got)
		}
		if keys := w.destination.Keys(); !slices.Equal(keys, w.source.Keys()) {
			t.Errorf("got %d keys, want the %d of the source", len(keys), len(w.source.Keys()))
		}
	})
}

// quarantineOf returns the number of quarantined objects of the last generation.
func (w *world) quarantineOf(t *testing.T) (n int) {
	t.Helper()
	for _, err := range checkpoint.Quarantine(t.Context(), w.options.Store, "m") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

// stored returns the names of all records in the store.
func (w *world) stored(t *testing.T) []string {
	t.Helper()
	names, err := w.options.Store.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return names
}
