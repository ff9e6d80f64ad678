package copier_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/copier"
	"syncd/internal/listing"
)

// answerOnce changes the response to the first request with the given method and query.
func (w *world) answerOnce(method, query string, change func(*http.Response)) {
	var done atomic.Bool
	w.wire.change = func(res *http.Response) {
		if res.Request.Method == method && res.Request.URL.Query().Has(query) && done.CompareAndSwap(false, true) {
			change(res)
		}
	}
}

// refusal is an error in place of a response.
type refusal struct {
	status int
	code   string
}

func (r refusal) replace(res *http.Response) {
	res.StatusCode = r.status
	replaceBody(res, fmt.Sprintf(`<Error><Code>%s</Code><Message>as told</Message></Error>`, r.code))
}

// TestFailureDecidesOverTheUpload makes a copy fail at its second part or its completion. It checks
// that the upload is kept for the next attempt if the error ends the mapping or is temporary, and
// is aborted otherwise.
func TestFailureDecidesOverTheUpload(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind awsfake.FaultKind
		want string
		kept bool
	}{
		{"denied", awsfake.AccessDenied, "denied", false},
		{"throttled", awsfake.Throttle, "throttled", true},
		{"throttled by KMS", awsfake.ThrottleKMS, "throttled_kms", true},
		{"service at fault", awsfake.InternalError, "transient", true},
		{"connection reset", awsfake.Reset, "transient", true},
		{"error in a 200", awsfake.ErrorIn200, "transient", true},
		{"session expired", awsfake.ExpiredToken, "expired", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for mode, w := range modes(t) {
				for _, operation := range []string{w.partRequest(), "CompleteMultipartUpload"} {
					if tt.kind == awsfake.ErrorIn200 && operation == "UploadPart" {
						continue // the response to UploadPart has no body
					}
					object, left, err := w.failAt(t, operation, tt.kind)
					if got := copier.Reason(err); got != tt.want {
						t.Errorf("%s, %s: got reason %q (%v), want %q", mode, operation, got, err, tt.want)
					}
					if left.open != tt.kept || (w.destination.Uploads() == 1) != tt.kept {
						t.Errorf("%s, %s: got %d uploads, recorded %v, want kept: %v", mode, operation, w.destination.Uploads(), left.open, tt.kept)
					}
					result, copied := w.mustCopyWith(t, object, left)
					w.sameAsSource(t, object.Key, copied)
					if resumed := result.Resumed > 0; resumed != tt.kept {
						t.Errorf("%s, %s: got %d earlier parts, want some: %v", mode, operation, result.Resumed, tt.kept)
					}
					w.destination.Delete(object.Key)
				}
			}
		})
	}
}

// failAt copies an object with one request at a time until the given operation fails. If the
// operation makes parts, the second and all later requests fail.
func (w *world) failAt(t *testing.T, operation string, kind awsfake.FaultKind) (listing.Object, *uploadRecord, error) {
	t.Helper()
	fault := awsfake.Fault{Operation: operation, Kind: kind}
	if operation == w.partRequest() {
		fault.Skip = 1
	}
	w.options.Slots = slots(1)
	object, left := w.putLarge(awsfake.PutOptions{}), &uploadRecord{}
	defer w.cloud.Inject(fault)()
	_, err := w.copyWith(t, object, left)
	return object, left, err
}

// TestUploadThatIsNotWorthKeeping checks that an upload is aborted if it has no parts, if it is a
// week old without progress, or if the record keeps no more uploads.
func TestUploadThatIsNotWorthKeeping(t *testing.T) {
	for mode, w := range modes(t) {
		attempt := func(name string, object listing.Object, left *uploadRecord, skip int, kept bool) {
			t.Helper()
			defer w.cloud.Inject(awsfake.Fault{Operation: w.partRequest(), Skip: skip, Kind: awsfake.InternalError})()
			_, err := w.copyWith(t, object, left)
			if copier.Reason(err) != "transient" || left.open != kept || (w.destination.Uploads() == 1) != kept {
				t.Errorf("%s, %s: got %v, recorded %v, %d uploads, want kept: %v", mode, name, err, left.open, w.destination.Uploads(), kept)
			}
		}
		w.options.Slots = slots(1)
		object, left := w.putLarge(awsfake.PutOptions{}), &uploadRecord{}
		attempt("without a part", object, left, 0, false)
		left.full = true
		attempt("one too many", object, left, 1, false)
		left.full = false
		attempt("with a part", object, left, 1, true)
		attempt("with that of an earlier attempt", object, left, 0, true)
		w.options.Now = func() time.Time { return time.Now().Add(8 * 24 * time.Hour) }
		attempt("a week later, with one part more", object, left, 1, true)
		attempt("a week later", object, left, 0, false)
	}
}

// TestFailureOfTheMappingKeepsTheUpload checks that the upload is kept if the credentials or the
// bucket are lost during a copy.
func TestFailureOfTheMappingKeepsTheUpload(t *testing.T) {
	for mode, w := range modes(t) {
		t.Run(mode, func(t *testing.T) {
			object := w.putLarge(awsfake.PutOptions{})
			w.answerOnce(http.MethodPut, "partNumber", refusal{http.StatusNotFound, "NoSuchBucket"}.replace)
			w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Kind: awsfake.ExpiredToken}) // other requests fail too
			left := &uploadRecord{}
			_, err := w.copyWith(t, object, left)
			if !awserr.Fatal(err) || !left.open || w.destination.Uploads() != 1 || w.cloud.Requests()["AbortMultipartUpload"] != 0 {
				t.Errorf("got %v, recorded %v, %d uploads, want the upload kept", err, left.open, w.destination.Uploads())
			}
		})
	}
}

// TestFailureWithoutARecord checks that without a record a failed upload is always aborted, because
// no later attempt could find it.
func TestFailureWithoutARecord(t *testing.T) {
	for mode, w := range modes(t) {
		t.Run(mode, func(t *testing.T) {
			object := w.putLarge(awsfake.PutOptions{})
			ctx, cancel := context.WithCancel(t.Context())
			w.cloud.Inject(awsfake.Fault{Operation: w.partRequest(), Skip: 1, Kind: awsfake.Timeout, Do: cancel})
			_, _, err := copier.New(w.options).Copy(ctx, object, copier.Target{}, nil)
			if awserr.Classify(err) != awserr.Canceled || w.destination.Uploads() != 0 {
				t.Errorf("got %v and %d uploads, want the copy canceled and none", err, w.destination.Uploads())
			}
		})
	}
}

// TestConflictStartsOver checks that a copy begins a new upload if its completion conflicts with
// another write ("Conditional writes", Amazon S3 User Guide).
func TestConflictStartsOver(t *testing.T) {
	for mode, w := range modes(t) {
		t.Run(mode, func(t *testing.T) {
			object := w.putLarge(awsfake.PutOptions{})
			w.cloud.Inject(awsfake.Fault{Operation: "CompleteMultipartUpload", Times: 2, Kind: awsfake.Conflict})
			_, copied := w.mustCopyWith(t, object, &uploadRecord{})
			if got := w.cloud.Requests(); got["CreateMultipartUpload"] != 3 || got["AbortMultipartUpload"] != 2 {
				t.Errorf("got %v, want three uploads begun and two aborted", got)
			}
			w.sameAsSource(t, object.Key, copied)

			w.destination.Delete(object.Key)
			w.cloud.Inject(awsfake.Fault{Operation: "CompleteMultipartUpload", Kind: awsfake.Conflict})
			if _, err := w.copy(t, object); copier.Reason(err) != "conflict" || w.destination.Uploads() != 0 {
				t.Errorf("got %v, reason %q, %d uploads, want the conflict to be the reason", err, copier.Reason(err), w.destination.Uploads())
			}
		})
	}
}

// TestLostResponseToACompletion checks that a copy finds the object that its completion created,
// after a broken connection and after a retry that finds no upload.
func TestLostResponseToACompletion(t *testing.T) {
	for name, lose := range map[string]func(*world){
		"connection": func(w *world) {
			w.cloud.Inject(awsfake.Fault{Operation: "CompleteMultipartUpload", Kind: awsfake.LoseAnswer})
		},
		"no such upload": func(w *world) {
			w.answerOnce(http.MethodPost, "uploadId", refusal{http.StatusNotFound, "NoSuchUpload"}.replace)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for mode, w := range modes(t) {
				t.Run(mode, func(t *testing.T) {
					object := w.putLarge(rich())
					lose(w)
					left := &uploadRecord{}
					result, copied := w.mustCopyWith(t, object, left)
					if result.DestinationETag != `"`+copied.ETag+`"` || result.DestinationVersionID != copied.VersionID || result.KeyARN != w.key.ARN() {
						t.Errorf("got %+v, want %+v", result, copied)
					}
					if n := w.cloud.Requests()["CreateMultipartUpload"]; n != 1 || len(w.destination.Versions(object.Key)) != 1 {
						t.Errorf("got %d uploads and %d versions, want one", n, len(w.destination.Versions(object.Key)))
					}
					w.sameAsSource(t, object.Key, copied)
				})
			}
		})
	}
}

// TestLostUploadIsNotALostResponse removes the upload before its completion, while the destination
// has an older object. It checks that the older object is not mistaken for the copy, whether its
// content is the same or not.
func TestLostUploadIsNotALostResponse(t *testing.T) {
	for name, present := range map[string]func(w *world, object string){
		"the same content, from before": func(w *world, key string) {
			former, _ := w.source.Object(key)
			w.destination.Put(key, awsfake.SyntheticBody(former.Size, 1), awsfake.PutOptions{
				KeyARN: w.key.ARN(), LastModified: former.LastModified.AddDate(0, 0, -1),
			})
		},
		"the same content, under another key": func(w *world, key string) {
			former, _ := w.source.Object(key)
			w.destination.Put(key, awsfake.SyntheticBody(former.Size, 1), awsfake.PutOptions{})
		},
		"other content": func(w *world, key string) {
			w.destination.Put(key, awsfake.SyntheticBody(17*mib+3, 9), awsfake.PutOptions{KeyARN: w.key.ARN()})
		},
		"nothing": func(*world, string) {},
	} {
		t.Run(name, func(t *testing.T) {
			for mode, w := range modes(t) {
				t.Run(mode, func(t *testing.T) {
					object := w.putLarge(rich())
					left := &uploadRecord{}
					w.options.OverwriteAny = true
					w.cloud.Inject(awsfake.Fault{Operation: "CompleteMultipartUpload", Times: 1, Do: func() {
						present(w, object.Key)
						w.abort(t, object.Key, left.upload.ID)
					}})
					_, copied := w.mustCopyWith(t, object, left)
					if n := w.cloud.Requests()["CreateMultipartUpload"]; n != 2 {
						t.Errorf("got %d uploads, want a second one", n)
					}
					w.sameAsSource(t, object.Key, copied)
				})
			}
		})
	}
}

// TestErrorInASuccess checks responses with status 200 and an error in the body, which S3 can send
// once it has begun the response. The error must determine the reason, not the status with which
// the SDK returns it.
func TestErrorInASuccess(t *testing.T) {
	for code, want := range map[string]string{"AccessDenied": "denied", "InvalidObjectState": "archived", "ExpiredToken": "expired"} {
		for _, size := range []int64{1, 17 * mib} {
			w := newParted(t)
			object := w.put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{})
			w.wire.change = func(res *http.Response) {
				if res.Request.Header.Get("X-Amz-Copy-Source") != "" {
					refusal{http.StatusOK, code}.replace(res)
				}
			}
			if _, err := w.copy(t, object); copier.Reason(err) != want {
				t.Errorf("%s, %d bytes: got %v, reason %q, want %q", code, size, err, copier.Reason(err), want)
			}
		}
	}
}

func TestPreconditionInASuccess(t *testing.T) {
	w := newParted(t)
	object := w.putLarge(awsfake.PutOptions{})
	w.answerOnce(http.MethodPut, "partNumber", refusal{http.StatusOK, "PreconditionFailed"}.replace)
	_, copied := w.mustCopy(t, object)
	w.sameAsSource(t, object.Key, copied)
	if n := w.cloud.BucketRequests("owner-data")["HeadObject"]; n != 3 {
		t.Errorf("got %d lookups of the source, want one more between the two copies", n)
	}
}

// TestUploadUnderAnotherKey checks that an upload with another KMS key fails before any content is
// copied into it.
func TestUploadUnderAnotherKey(t *testing.T) {
	for mode, w := range modes(t) {
		t.Run(mode, func(t *testing.T) {
			object := w.putLarge(awsfake.PutOptions{})
			w.answerOnce(http.MethodPost, "uploads", func(res *http.Response) {
				res.Header.Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", "arn:aws:kms:us-west-2:222222222222:key/another")
			})
			_, err := w.copy(t, object)
			if !errors.Is(err, copier.ErrWrongKey) || w.cloud.Requests()[w.partRequest()] != 0 || w.destination.Uploads() != 0 {
				t.Errorf("got %v after %v, %d uploads, want an error before its first part", err, w.cloud.Requests(), w.destination.Uploads())
			}
		})
	}
}

// TestCopyInPartsOfAnotherContent checks that a copy fails if the destination creates an object
// whose checksum differs from that of the source.
func TestCopyInPartsOfAnotherContent(t *testing.T) {
	w := newParted(t)
	object := w.putLarge(awsfake.PutOptions{})
	w.wire.change = func(res *http.Response) {
		if res.Request.Method == http.MethodHead {
			res.Header.Set("X-Amz-Checksum-Crc64nvme", "AAAAAAAAAAA=")
		}
	}
	if _, err := w.copy(t, object); copier.Reason(err) != "checksum" {
		t.Errorf("got %v, reason %q, want the checksum as the reason", err, copier.Reason(err))
	}
}

// TestContentIsSignedOnlyWithoutTLS checks that over TLS the content is not hashed for the
// signature, which would make relays more expensive.
func TestContentIsSignedOnlyWithoutTLS(t *testing.T) {
	for scheme, want := range map[string]bool{"https": false, "http": true} {
		w := newParted(t)
		w.relaying(64 * mib)
		w.options.Destination = w.clientAt(scheme + "://aws.invalid")
		w.mustCopy(t, w.putLarge(awsfake.PutOptions{}))
		w.mustCopy(t, w.putText("small", "x"))
		for _, r := range w.wire.requests(http.MethodPut, scheme+"://") {
			if got := r.Header.Get("X-Amz-Content-Sha256") != "UNSIGNED-PAYLOAD"; got != want {
				t.Errorf("%s %s: got content signed: %v, want %v", r.Method, r.URL, got, want)
			}
		}
	}
}

func (w *world) clientAt(url string) *s3.Client {
	return s3.New(w.client.Options(), func(o *s3.Options) { o.BaseEndpoint = &url })
}
