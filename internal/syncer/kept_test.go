package syncer_test

import (
	"context"
	"testing"
	"time"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
	"syncd/internal/syncer"
)

// sweeping records which uploads each sweep is asked to keep.
type sweeping struct {
	*copier.Copier
	kept []record.Upload
}

func (s *sweeping) SweepUploads(ctx context.Context, before time.Time, kept []record.Upload) (int, error) {
	s.kept = kept
	return s.Copier.SweepUploads(ctx, before, kept)
}

// outage makes a pass quarantine a large object after two of its four parts were copied, while
// other objects are copied.
func outage(t *testing.T) (w *world, s *syncer.Syncer) {
	t.Helper()
	w = newWorld(t)
	w.fill(3)
	w.copies.MultipartAbove, w.copies.PartSize = 5<<20, 5<<20
	for _, key := range []string{"large", "larger"} {
		w.source.Put(key, awsfake.SyntheticBody(20<<20, 1), awsfake.PutOptions{})
	}
	heal := w.cloud.Inject(awsfake.Fault{Operation: "UploadPartCopy", Key: "large", Skip: 2, Kind: awsfake.InternalError})
	sweeper := &sweeping{Copier: copier.New(w.copies)}
	o := w.options
	o.Source, o.Copier = w.live, sweeper
	first := syncer.New(o)
	got := mustRun(t, first)
	if got.Copied != 4 || got.Quarantined["transient"] != 1 || len(sweeper.kept) != 1 || w.destination.Uploads() != 1 {
		t.Fatalf("got %+v, %d uploads and %+v kept, want one object set aside and its upload kept", got, w.destination.Uploads(), sweeper.kept)
	}
	heal()
	w.cloud.ResetRequests()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	return w, w.open(t)
}

// TestOutageKeepsTheUpload checks that after an outage that outlasts the retries of a part, the
// next pass resumes from the parts already copied.
func TestOutageKeepsTheUpload(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w, s := outage(t)
		none := func(record.Quarantined) bool { return false }
		if replay(t, s, none); w.destination.Uploads() != 1 {
			t.Errorf("got %d uploads after a replay of other objects, want it kept", w.destination.Uploads())
		}
		got := mustRun(t, s)
		if n := w.cloud.Requests()["UploadPartCopy"]; got.Copied != 1 || got.Exit != 0 || n != 2 || w.destination.Uploads() != 0 {
			t.Errorf("got %+v with %d parts made and %d uploads left, want only the two missing parts made", got, n, w.destination.Uploads())
		}
		original, _ := w.source.Object("large")
		if copied, ok := w.destination.Object("large"); !ok || copied.Checksum != original.Checksum {
			t.Errorf("got checksum %s, want %s", copied.Checksum, original.Checksum)
		}
	})
}

// TestOutageLeavesNoUpload checks that the next pass aborts the unfinished upload if the object was
// changed or deleted meanwhile.
func TestOutageLeavesNoUpload(t *testing.T) {
	for name, change := range map[string]func(*awsfake.Bucket){
		"overwritten": func(b *awsfake.Bucket) { b.Put("large", awsfake.SyntheticBody(20<<20, 2), awsfake.PutOptions{}) },
		"shrunk":      func(b *awsfake.Bucket) { b.Put("large", awsfake.SyntheticBody(1, 2), awsfake.PutOptions{}) },
		"gone":        func(b *awsfake.Bucket) { b.Delete("large") },
	} {
		checkpointtest.Bubble(t, func(t *testing.T) {
			w, s := outage(t)
			change(w.source)
			got := mustRun(t, s)
			if n := w.cloud.Requests()["AbortMultipartUpload"]; got.Exit != 0 || n != 1 || w.destination.Uploads() != 0 {
				t.Errorf("%s: got %+v, %d aborts and %d uploads left, want it aborted", name, got, n, w.destination.Uploads())
			}
			original, there := w.source.Object("large")
			if copied, _ := w.destination.Object("large"); there && copied.Checksum != original.Checksum {
				t.Errorf("%s: got checksum %s, want %s", name, copied.Checksum, original.Checksum)
			}
		})
	}
}

// TestGoneQuarantineIsRemoved checks that the row of an object that was never copied is removed once
// the object is gone, and that neither the preview nor the pass counts the object as kept.
func TestGoneQuarantineIsRemoved(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.put("ok")
		w.source.Put("archived", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{StorageClass: "DEEP_ARCHIVE"})
		if _, err := w.pass(t); err != nil || len(w.quarantine(t)) != 1 {
			t.Fatalf("got %v and %d objects in quarantine, want one", err, len(w.quarantine(t)))
		}
		w.source.Delete("archived")
		planned, fates := w.preview(t)
		if planned.Kept != 0 || planned.Listed != 1 || len(fates) != 1 || fates[0].Object.Key != "ok" {
			t.Errorf("got preview %+v of %d objects, want only the object that is left", planned, len(fates))
		}
		if got, err := w.pass(t); err != nil || got.Kept != 0 || got.Listed != 1 || len(w.quarantine(t)) != 0 {
			t.Errorf("got %+v, %v and %d objects in quarantine, want none", got, err, len(w.quarantine(t)))
		}
	})
}
