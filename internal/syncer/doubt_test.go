package syncer_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/checkpointtest"
)

// TestLostAnswerIsNotForgotten loses the response to a copy, and then restores the previous version
// at the source. It checks that the ledger does not treat the copy as a copy of that previous
// version.
func TestLostAnswerIsNotForgotten(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		_, err := w.admin.PutBucketVersioning(t.Context(), versioned())
		if err != nil {
			t.Fatal(err)
		}
		w.source.Put("k", awsfake.BytesBody([]byte("one")), awsfake.PutOptions{})
		s := w.open(t)
		mustRun(t, s)
		w.source.Put("k", awsfake.BytesBody([]byte("two")), awsfake.PutOptions{})
		heal := w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.LoseAnswer})
		if got := mustRun(t, s); got.Quarantined["transient"] != 1 {
			t.Fatalf("got %+v, want the object set aside", got)
		}
		heal()
		_, err = w.client.DeleteObject(t.Context(), &s3.DeleteObjectInput{
			Bucket: aws.String("owner-data"), Key: aws.String("k"), VersionId: aws.String(w.source.Versions("k")[0].VersionID),
		})
		if err != nil {
			t.Fatal(err)
		}
		mustRun(t, s)
		if got, err := w.destination.Read("k"); err != nil || string(got) != "one" {
			t.Errorf("got %q, %v at the destination, want the content of the source", got, err)
		}
	})
}

// TestResumedPassRemembersWhatItSetAside interrupts a pass after it has quarantined an object. It
// checks that the resumed pass counts that object and exits with 3.
func TestResumedPassRemembersWhatItSetAside(t *testing.T) {
	checkpointtest.Bubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.fill(3000)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(0), Kind: awsfake.AccessDenied, Times: 1})
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: name(1500), Do: cancel, Times: 1})
		s := w.open(t)
		if first, _ := s.Run(ctx); first.Quarantined["denied"] != 1 || first.Exit != 130 {
			t.Fatalf("got %+v, want one denied before the drain", first)
		}
		second := mustRun(t, s)
		if second.Exit != 3 || second.QuarantinedBefore != 1 || !second.Resumed {
			t.Errorf("got %+v, want exit 3 for the object set aside before", second)
		}
	})
}

// TestLostAnswerOfAVanishedObject loses the response to a copy, deletes the source object before
// the retry, and then restores its previous version. The ledger must drop the entry of a copy that
// was replaced, and keep the entry of a copy that was not.
func TestLostAnswerOfAVanishedObject(t *testing.T) {
	for _, lost := range []bool{true, false} {
		checkpointtest.Bubble(t, func(t *testing.T) {
			w := newWorld(t)
			if _, err := w.admin.PutBucketVersioning(t.Context(), versioned()); err != nil {
				t.Fatal(err)
			}
			w.source.Put("k", awsfake.BytesBody([]byte("one")), awsfake.PutOptions{})
			s := w.open(t)
			mustRun(t, s)
			w.source.Put("k", awsfake.BytesBody([]byte("two")), awsfake.PutOptions{})
			remove := func(version *string) (marker *string) {
				out, err := w.client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("owner-data"), Key: aws.String("k"), VersionId: version})
				if err != nil {
					t.Error(err)
					return nil
				}
				return out.VersionId
			}
			var marker *string
			fault := awsfake.Fault{Operation: "CopyObject", Times: 1, Do: func() { marker = remove(nil) }}
			if lost {
				fault.Skip = 1
				w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Times: 1, Kind: awsfake.LoseAnswer})
			}
			w.cloud.Inject(fault)
			if got := mustRun(t, s); got.Skipped["gone"] != 1 {
				t.Fatalf("lost %t: got %+v, want the object gone", lost, got)
			}
			remove(marker)
			remove(&w.source.Versions("k")[0].VersionID)
			got := mustRun(t, s)
			if content, err := w.destination.Read("k"); err != nil || string(content) != "one" {
				t.Errorf("lost %t: got %q, %v at the destination, want the content of the source", lost, content, err)
			}
			if (got.Unchanged == 1) == lost {
				t.Errorf("lost %t: got %+v, want the object copied again only if its copy was replaced", lost, got)
			}
		})
	}
}
