//nolint:thelper // the funcs that run in bubbles are tests: failures must report their lines
package syncer_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awsfake"
	"syncd/internal/copier/content"
	"syncd/internal/plan"
)

// TestOwnEntryThatALaterProcessReplaced kills a second process of a pass after it has replaced a
// copy that the first process saved, and then restores the former version at the source. It checks
// that the destination matches the source in the end.
func TestOwnEntryThatALaterProcessReplaced(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		if _, err := w.admin.PutBucketVersioning(t.Context(), versioned()); err != nil {
			t.Fatal(err)
		}
		w.fill(6)
		// The first object is slow, so that the other objects are settled and saved above the
		// low-water mark.
		slow := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(0), Kind: awsfake.Timeout})
		p := w.start(t, "folder")
		p.life = 20 * time.Second
		if got, err := p.run(t); err == nil {
			t.Fatalf("got %+v, want it killed", got)
		}
		p.finish(t)
		slow()
		time.Sleep(time.Hour)
		w.change(name(3))
		slow = w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(0), Kind: awsfake.Timeout})
		w.killedAt(t, "folder", "CopyObject", name(3), nil)
		slow()
		if got, err := w.destination.Read(name(3)); err != nil || string(got) != "changed" {
			t.Fatalf("got %q, %v", got, err)
		}
		time.Sleep(time.Hour)
		if _, err := w.client.DeleteObject(t.Context(), &s3.DeleteObjectInput{
			Bucket: aws.String("owner-data"), Key: aws.String(name(3)), VersionId: aws.String(w.source.Versions(name(3))[0].VersionID),
		}); err != nil {
			t.Fatal(err)
		}
		w.passes(t, "folder", "third", 0)
		w.passes(t, "folder", "fourth", 0)
		w.wantInStep(t)
	})
}

// TestLeftoversThatMayNotBeListed kills a process whose role is not allowed to list the
// destination, and hides an object for one pass. It checks that the object's copy still counts as
// syncd's own.
func TestLeftoversThatMayNotBeListed(t *testing.T) {
	for label, change := range map[string]struct{ between, back func(w *world) }{
		"deleted": {func(w *world) { w.source.Delete(name(1)) }, func(w *world) { w.change(name(1)) }},
		"filtered": {
			func(w *world) { w.options.Rules.Filter = plan.Filter{Exclude: []plan.Pattern{glob(name(1))}} },
			func(w *world) { w.options.Rules.Filter = plan.Filter{}; w.change(name(1)) },
		},
	} {
		t.Run(label, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Bucket: "consumer-copy", Kind: awsfake.AccessDenied})
				w.put(name(9))
				w.passes(t, "folder", "first", 0)
				time.Sleep(time.Hour)
				w.fill(3)
				w.killedAt(t, "folder", "CopyObject", name(1), nil)
				time.Sleep(time.Hour)
				change.between(w)
				w.passes(t, "folder", "between", 0)
				time.Sleep(time.Hour)
				change.back(w)
				w.passes(t, "folder", "back", 0)
				w.wantInStep(t)
			})
		})
	}
}

// TestMarkOutsideThePrefix narrows the source prefix, and drains the pass after the last key of the
// ledger. It checks that the pass can be resumed.
func TestMarkOutsideThePrefix(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.put("m/1")
		w.put("z")
		w.passes(t, "folder", "first", 0)
		time.Sleep(time.Hour)
		w.copies.SourcePlace.Prefix = "m/"
		p := w.start(t, "folder")
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Times: 1, Do: func() { time.Sleep(500 * time.Millisecond); p.drain() }})
		if got, err := p.run(t); err == nil {
			t.Fatalf("got %+v, want it drained", got)
		}
		p.finish(t)
		time.Sleep(time.Hour)
		for range 2 {
			w.passes(t, "folder", "resumed", 0)
		}
		w.wantInStep(t)
	})
}

// TestClaimedCopyOfAnotherSourceIsNotAdopted kills a pass with another source prefix and restores
// the prefix. It checks that a copy made from the other prefix is not adopted: it has no checksum
// to prove its content, and its date alone is not sufficient proof.
func TestClaimedCopyOfAnotherSourceIsNotAdopted(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.copies.Relay, w.copies.Buffers = true, content.NewBuffers(32<<20)
		for i := range 3 {
			w.source.Put(name(i), awsfake.BytesBody([]byte("right")), awsfake.PutOptions{NoChecksum: true})
			w.source.Put("in/"+name(i), awsfake.BytesBody([]byte("wrong")), awsfake.PutOptions{NoChecksum: true})
		}
		w.passes(t, "folder", "first", 0)
		time.Sleep(2 * time.Hour)
		w.copies.SourcePlace.Prefix = "in/"
		w.killedAt(t, "folder", "PutObject", name(2), nil)
		w.copies.SourcePlace.Prefix = ""
		time.Sleep(time.Hour)
		for range 2 {
			w.passes(t, "folder", "back", 0)
		}
		w.wantInStep(t)
	})
}
