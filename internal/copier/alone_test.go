package copier_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/copier"
)

// TestErrorOfOneObject checks that errors that normally end the mapping affect only one object if
// the service returns them only for that object.
func TestErrorOfOneObject(t *testing.T) {
	for _, tt := range []struct{ code, reason string }{
		{"SignatureDoesNotMatch", "signature"}, {"InvalidAccessKeyId", "credentials"}, {"NoSuchBucket", "no_bucket"},
	} {
		for mode, w := range modes(t) {
			t.Run(tt.code+" "+mode, func(t *testing.T) {
				object := w.putLarge(awsfake.PutOptions{})
				w.answerOnce(http.MethodPut, "partNumber", refusal{http.StatusForbidden, tt.code}.replace)
				left := &uploadRecord{}
				_, err := w.copyWith(t, object, left)
				if awserr.Fatal(err) || copier.Reason(err) != tt.reason || w.destination.Uploads() != 0 || left.open {
					t.Errorf("got %v, reason %q, %d uploads, want only the object refused and its upload aborted", err, copier.Reason(err), w.destination.Uploads())
				}
				if n := w.cloud.Requests()["ListObjectsV2"]; n != 2 {
					t.Errorf("got %d listings, want one of each side", n)
				}
			})
		}
	}
}

// TestErrorOfTheMapping checks that the same errors end the mapping if a listing on either side
// also fails.
func TestErrorOfTheMapping(t *testing.T) {
	for _, bucket := range []string{"owner-data", "consumer-copy"} {
		w := newWorld(t)
		object := w.putText("k", "x")
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.BadSignature})
		end := w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Bucket: bucket, Kind: awsfake.BadSignature})
		if _, err := w.copy(t, object); !awserr.Fatal(err) {
			t.Errorf("%s: got %v, want an error of the mapping", bucket, err)
		}
		end()
		w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Bucket: bucket, Kind: awsfake.AccessDenied})
		if _, err := w.copy(t, object); awserr.Fatal(err) || err == nil {
			t.Errorf("%s: got %v, want only the object to fail: a denied listing has a valid signature", bucket, err)
		}
	}
}

// TestLookupErrorOfOneObject checks that an error that normally ends the mapping affects only one
// object if the service returns it for the lookup of that object in a replay.
func TestLookupErrorOfOneObject(t *testing.T) {
	w := newWorld(t)
	w.putText("k", "x")
	c := copier.New(w.options)
	w.cloud.Inject(awsfake.Fault{Operation: "HeadObject", Kind: awsfake.ExpiredToken})
	w.cloud.Inject(awsfake.Fault{Operation: "GetObject", Kind: awsfake.ExpiredToken})
	if _, err := c.Look(t.Context(), "k"); awserr.Fatal(err) || awserr.Classify(err) != awserr.Expired {
		t.Errorf("look: got %v, want only the object to fail", err)
	}
	if err := c.Readable(t.Context(), "k"); awserr.Fatal(err) || awserr.Classify(err) != awserr.Expired {
		t.Errorf("read: got %v, want only the object to fail", err)
	}
	w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Kind: awsfake.ExpiredToken})
	if _, err := c.Look(t.Context(), "k"); !awserr.Fatal(err) {
		t.Errorf("got %v, want an error of the mapping", err)
	}
}

// TestFailuresShareTheListings makes many copies fail at the same time: some before the first copy
// sends its listings, and some while these listings are in flight. It checks that the copies share
// the listings.
func TestFailuresShareTheListings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := copier.New(w.options)
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.BadSignature})
		w.cloud.SetLatency(10 * time.Millisecond)
		var copies sync.WaitGroup
		for i := range 6 {
			object := w.putText(string(rune('a'+i)), "x")
			copies.Go(func() {
				_, _, err := c.Copy(t.Context(), object, copier.Target{}, nil)
				if awserr.Fatal(err) || copier.Reason(err) != "signature" {
					t.Errorf("got %v, want each object refused by itself", err)
				}
			})
		}
		copies.Wait()
		if got := w.cloud.Requests()["ListObjectsV2"]; got < 2 || got > 4 {
			t.Errorf("got %d listings, want two for the first and two for the failures in between", got)
		}
	})
}
