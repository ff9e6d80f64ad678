package syncer_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awsfake"
)

// TestLostAnswerIsNotForgotten has the answer to a copy get lost, and then the source go back to the version before: the
// ledger must not take the copy for that.
func TestLostAnswerIsNotForgotten(t *testing.T) {
	emptyPools()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		_, err := w.client.PutBucketVersioning(t.Context(), versioned("owner-data"))
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
			t.Errorf("got %q, %v at the destination, want what the source holds", got, err)
		}
	})
}

// TestResumedPassRemembersWhatItSetAside interrupts a pass behind an object that it set aside.
func TestResumedPassRemembersWhatItSetAside(t *testing.T) {
	emptyPools()
	synctest.Test(t, func(t *testing.T) {
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
