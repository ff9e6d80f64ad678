package copier_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/store"
	"syncd/internal/copier"
	"syncd/internal/iam"
	"syncd/internal/transfer"
)

// roundTrip is a function that implements http.RoundTripper.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// putForeign puts a foreign object with the date at under the key k at the destination.
func (w *world) putForeign(at time.Time) awsfake.ObjectInfo {
	return w.destination.Put("k", awsfake.BytesBody([]byte("theirs")), awsfake.PutOptions{KeyARN: w.key.ARN(), LastModified: at})
}

// conditionsSent lists the conditions of the writes that make copies, in order.
func (w *world) conditionsSent() (sent []string) {
	w.wire.mu.Lock()
	defer w.wire.mu.Unlock()
	for _, r := range w.wire.seen {
		isWrite := r.Method == http.MethodPut && !r.URL.Query().Has("partNumber") || r.Method == http.MethodPost && r.URL.Query().Has("uploadId")
		if !isWrite {
			continue
		}
		switch match, none := r.Header.Get("If-Match"), r.Header.Get("If-None-Match"); {
		case match != "" && none == "":
			sent = append(sent, "if "+match)
		case match == "" && none == "*":
			sent = append(sent, "if none")
		default:
			sent = append(sent, "always"+match+none)
		}
	}
	return sent
}

func (w *world) wantSent(t *testing.T, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, w.conditionsSent()); diff != "" {
		t.Errorf("conditions sent (-want +got):\n%s", diff)
	}
}

// sized puts an object of w.size bytes at the source.
func (w *world) sized(seed uint64) awsfake.ObjectInfo {
	return w.source.Put("k", awsfake.SyntheticBody(w.size, seed), awsfake.PutOptions{})
}

// TestCopyIsConditional checks that each write has the condition that follows from the Target.
func TestCopyIsConditional(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			object := listed(w.sized(1))
			first, _ := w.mustCopy(t, object)
			w.wantSent(t, "if none")

			object = listed(w.sized(2))
			w.target = copier.Target{Known: first.DestinationETag}
			second, _ := w.mustCopy(t, object)
			w.wantSent(t, "if none", "if "+first.DestinationETag)

			w.destination.Delete("k")
			w.target = copier.Target{Known: second.DestinationETag}
			third, _ := w.mustCopy(t, listed(w.sized(3))) // 404 instead of 412
			w.wantSent(t, "if none", "if "+first.DestinationETag, "if "+second.DestinationETag, "if none")

			w.target = w.asListed()
			w.target.OursSince = third.CopiedAt.Add(-time.Minute)
			w.mustCopy(t, listed(w.sized(4)))
			w.wantSent(t, "if none", "if "+first.DestinationETag, "if "+second.DestinationETag, "if none", "if "+third.DestinationETag)
		})
	}
}

// TestForeignObjectStays checks that a foreign object at the destination is not replaced. The
// object was listed, or is found only by the refused write, or is put at the moment of the write,
// or has replaced a copy that is in the ledger.
func TestForeignObjectStays(t *testing.T) {
	for name, tt := range map[string]func(t *testing.T, w *world) (foreign func() awsfake.ObjectInfo){
		"listed": func(_ *testing.T, w *world) func() awsfake.ObjectInfo {
			there := w.putForeign(time.Now().Add(-time.Hour))
			w.target = w.asListed()
			return func() awsfake.ObjectInfo { return there }
		},
		"met": func(_ *testing.T, w *world) func() awsfake.ObjectInfo {
			there := w.putForeign(time.Now().Add(-time.Hour))
			return func() awsfake.ObjectInfo { return there }
		},
		"put at the same moment": func(_ *testing.T, w *world) func() awsfake.ObjectInfo {
			var there awsfake.ObjectInfo
			once := sync.OnceFunc(func() { there = w.putForeign(time.Time{}) })
			for _, operation := range []string{"CopyObject", "PutObject", "CompleteMultipartUpload"} {
				w.cloud.Inject(awsfake.Fault{Operation: operation, Do: once})
			}
			return func() awsfake.ObjectInfo { return there }
		},
		"in the place of a copy": func(t *testing.T, w *world) func() awsfake.ObjectInfo {
			t.Helper()
			made, _ := w.mustCopy(t, listed(w.sized(1)))
			w.target = copier.Target{Known: made.DestinationETag}
			there := w.putForeign(time.Time{})
			return func() awsfake.ObjectInfo { return there }
		},
		"older than what may be ours": func(_ *testing.T, w *world) func() awsfake.ObjectInfo {
			there := w.putForeign(time.Now().Add(-time.Hour))
			w.target = w.asListed()
			w.target.OursSince = time.Now().Add(-time.Minute)
			return func() awsfake.ObjectInfo { return there }
		},
		"under another key than ours": func(_ *testing.T, w *world) func() awsfake.ObjectInfo {
			there := w.destination.Put("k", awsfake.BytesBody([]byte("theirs")), awsfake.PutOptions{})
			w.target = copier.Target{OursSince: time.Now().Add(-time.Minute)}
			return func() awsfake.ObjectInfo { return there }
		},
	} {
		t.Run(name, func(t *testing.T) {
			for way, w := range ways(t) {
				t.Run(way, func(t *testing.T) {
					foreign := tt(t, w)
					left := &uploadRecord{}
					_, err := w.copyWith(t, listed(w.sized(2)), left)
					if !errors.Is(err, copier.ErrForeign) || copier.Reason(err) != "foreign" {
						t.Errorf("got %v, reason %q, want foreign", err, copier.Reason(err))
					}
					if now, _ := w.destination.Object("k"); now.ETag != foreign().ETag {
						t.Errorf("got %+v at the destination, want the object unchanged", now)
					}
					if left.open || w.destination.Uploads() != 0 {
						t.Errorf("got an upload left behind")
					}

					w.options.OverwriteAny = true
					result, err := w.copyWith(t, listed(w.sized(3)), left)
					if now, _ := w.destination.Object("k"); err != nil || `"`+now.ETag+`"` != result.DestinationETag {
						t.Errorf("overwrite any: got %+v, %v, want the object replaced", result, err)
					}
				})
			}
		})
	}
}

// TestListedForeignObjectCostsNoWrite checks that no request is sent for a foreign object that a
// listing has shown.
func TestListedForeignObjectCostsNoWrite(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			w.putForeign(time.Now())
			w.target = w.asListed()
			object := listed(w.sized(1))
			w.cloud.ResetRequests()
			_, err := w.copy(t, object)
			if got := w.cloud.Requests(); !errors.Is(err, copier.ErrForeign) || len(got) != 0 {
				t.Errorf("got %v after %v, want reason foreign without a request", err, got)
			}
		})
	}
}

// TestOwnCopyIsNeverForeign loses the responses to writes. It checks that the retry finds the copy,
// or that the next attempt replaces the copy. The next attempt gets the value ours that the failed
// attempt returned.
func TestOwnCopyIsNeverForeign(t *testing.T) {
	writes := []string{"CopyObject", "PutObject", "CompleteMultipartUpload"}
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			for name, kind := range map[string]awsfake.FaultKind{"lost": awsfake.LoseAnswer, "cut": awsfake.CutBody} {
				w.destination.Delete("k")
				w.target = copier.Target{}
				began := time.Now()
				var remove []func()
				for _, operation := range writes {
					remove = append(remove, w.cloud.Inject(awsfake.Fault{Operation: operation, Kind: kind, Times: 1}))
				}
				_, err := w.copy(t, listed(w.sized(1)))
				for _, f := range remove {
					f()
				}
				if err == nil {
					continue // the retry found the copy
				}
				if awserr.Classify(err) != awserr.Transient || w.ours.Since.IsZero() || w.ours.Since.Before(began.Add(-3*time.Second)) {
					t.Fatalf("%s: got %v, ours %+v, want a transient failure that may have written", name, err, w.ours)
				}
				w.target = copier.Target{Known: w.ours.ETag, OursSince: w.ours.Since}
				object := listed(w.sized(2)) // the source is overwritten meanwhile
				result, copied := w.mustCopy(t, object)
				if result.Object.ETag != object.ETag {
					t.Errorf("%s: got %+v of %+v, want the newest version", name, result, copied)
				}
			}
		})
	}
}

// TestOwnCopyThatIsThereCostsOneRequest checks that one request is sent if a listing shows a copy
// that a killed process made but did not record.
func TestOwnCopyThatIsThereCostsOneRequest(t *testing.T) {
	w := newWorld(t)
	object := w.putText("k", "x")
	w.mustCopy(t, object)
	w.target = w.asListed()
	w.target.OursSince = time.Now().Add(-time.Minute)
	w.cloud.ResetRequests()
	w.mustCopy(t, object)
	if diff := cmp.Diff(awsfake.Requests{"CopyObject": 1}, w.cloud.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// TestCopyWritesOnlyWhileItMay loses the lease before and during each request that writes. It
// checks that a copy without the lease writes nothing and aborts no upload.
func TestCopyWritesOnlyWhileItMay(t *testing.T) {
	lost := fmt.Errorf("%w: taken", store.ErrLeaseLost)
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			for n := 0; ; n++ {
				writes := 0
				ended := make(chan struct{})
				r := &uploadRecord{writing: func(ctx context.Context) (context.Context, context.CancelFunc, error) {
					if writes++; writes > n {
						return nil, nil, lost
					}
					bound, cancel := context.WithCancelCause(ctx)
					if writes == n {
						close(ended)
						cancel(lost) // while the write is in flight
					}
					return bound, func() { cancel(nil) }, nil
				}}
				w.options.Slots = slots(1)
				w.destination.Delete("k")
				w.wire.seen = nil
				_, err := w.copyWith(t, listed(w.sized(uint64(n)+1)), r)
				if writes < n {
					break // the copy needed fewer than n writes
				}
				if !errors.Is(err, store.ErrLeaseLost) {
					t.Fatalf("lost with write %d: got %v, want the lease lost", n, err)
				}
				if now, ok := w.destination.Object("k"); ok {
					t.Errorf("lost with write %d: got %+v at the destination", n, now)
				}
				if n := len(w.wire.requests(http.MethodDelete, "uploadId")); n > 0 {
					t.Errorf("got %d uploads aborted by a process that may not write", n)
				}
			}
		})
	}
}

// TestGoneWithoutPermissionToList checks that a missing object is reported as gone although S3
// returns 403 for it. S3 does so for a role whose permission to list has a condition that a GET,
// HEAD or COPY request cannot fulfill.
func TestGoneWithoutPermissionToList(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			w.source.SetPolicy(iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
				{"Effect":"Allow","Principal":{"AWS":%q},"Action":["s3:GetObject","s3:GetObjectTagging"],"Resource":"arn:aws:s3:::owner-data/*"},
				{"Effect":"Allow","Principal":{"AWS":%q},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::owner-data","Condition":{"StringLike":{"s3:prefix":"k*"}}}]}`,
				consumer, consumer)))
			object := listed(w.sized(1))
			w.source.Delete("k")
			if _, err := w.copy(t, object); awserr.Classify(err) != awserr.Gone {
				t.Errorf("got %v, want class gone", err)
			}
			object = listed(w.sized(1))
			w.source.SetPolicy(iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
				{"Effect":"Allow","Principal":{"AWS":%q},"Action":"s3:ListBucket","Resource":"arn:aws:s3:::owner-data"}]}`, consumer)))
			if _, err := w.copy(t, object); awserr.Classify(err) != awserr.Denied {
				t.Errorf("got %v, want class denied for an existing object", err)
			}
		})
	}
}

// TestListedAndGone checks the error for a source that lists an object but responds that the object
// does not exist.
func TestListedAndGone(t *testing.T) {
	for way, w := range ways(t) {
		t.Run(way, func(t *testing.T) {
			object := listed(w.sized(1))
			next, id := w.wire.next, 0
			w.wire.next = roundTrip(func(r *http.Request) (*http.Response, error) {
				id++
				if strings.HasPrefix(r.URL.Path, "/consumer-copy/") && r.Header.Get("X-Amz-Copy-Source") == "" || r.URL.Query().Has("list-type") {
					return next.RoundTrip(r)
				}
				res := &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{"X-Amz-Request-Id": {strconv.Itoa(id)}}, Body: http.NoBody, Request: r}
				if r.Method != http.MethodHead {
					replaceBody(res, `<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>`)
				}
				return res, nil
			})
			_, err := w.copy(t, object)
			if !errors.Is(err, copier.ErrInconsistent) || copier.Reason(err) != "inconsistent" || awserr.Classify(err) == awserr.Gone {
				t.Errorf("got %v, reason %q, want inconsistent", err, copier.Reason(err))
			}
		})
	}
}

// TestResponseWithTheFormerCopy checks a proxy in front of the service that responds to a write
// with the previous object and writes nothing.
func TestResponseWithTheFormerCopy(t *testing.T) {
	for _, relay := range []bool{false, true} {
		for _, size := range []int64{10, 17 * mib} {
			synctest.Test(t, func(t *testing.T) {
				w := newParted(t)
				if w.size = size; relay {
					w.relaying(64 * mib)
				}
				made, _ := w.mustCopy(t, listed(w.sized(1)))
				w.target = copier.Target{Known: made.DestinationETag}
				w.wire.next = former{w.wire.next, w.key.ARN(), made.DestinationETag, ""}
				time.Sleep(time.Minute)
				if _, err := w.copy(t, listed(w.sized(2))); awserr.Classify(err) != awserr.Transient {
					t.Errorf("relay %v, %d bytes: got %v, want class transient", relay, size, err)
				}
			})
		}
	}
}

// former is a transport that answers the writes that make copies with the previous object or with
// another object.
type former struct {
	next           http.RoundTripper
	key, etag, sum string
}

func (f former) RoundTrip(r *http.Request) (*http.Response, error) {
	isCopy := r.Method == http.MethodPut && !r.URL.Query().Has("partNumber")
	isComplete := r.Method == http.MethodPost && r.URL.Query().Has("uploadId")
	if !isCopy && !isComplete {
		return f.next.RoundTrip(r)
	}
	res := &http.Response{StatusCode: http.StatusOK, Request: r, Body: http.NoBody, Header: http.Header{
		"X-Amz-Request-Id": {"1"}, "Etag": {f.etag},
	}}
	if f.sum != "" {
		res.Header.Set("X-Amz-Checksum-Crc64nvme", f.sum)
	}
	if f.key != "" {
		res.Header.Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", f.key)
	}
	replaceBody(res, `<Result><ETag>`+f.etag+`</ETag></Result>`)
	return res, nil
}

// TestResponseForAnotherObject checks a proxy in front of the service that responds to a write with
// another object's ETag and writes nothing. The destination still has the previous copy, which
// still counts as syncd's own.
func TestResponseForAnotherObject(t *testing.T) {
	for name, key := range map[string]string{"that names the key": "", "that names no key": "absent"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.relaying(64 * mib)
				w.size = 10
				made, _ := w.mustCopy(t, listed(w.sized(1)))
				honest, arn, sum := w.wire.next, w.key.ARN(), "AAAAAAAAAAA="
				if key != "" {
					arn, sum = "", ""
				}
				w.wire.next = former{honest, arn, `"of another object"`, sum}
				time.Sleep(time.Minute)
				c, object := copier.New(w.options), listed(w.sized(2))
				_, ours, err := c.Copy(t.Context(), object, copier.Target{Known: made.DestinationETag}, nil)
				if err == nil || !transfer.SameETag(ours.ETag, made.DestinationETag) || ours.Since.IsZero() {
					t.Fatalf("got %+v, %v, want a failure, and the former copy in ours", ours, err)
				}
				w.wire.next = honest
				if _, _, err := c.Copy(t.Context(), object, copier.Target{Known: ours.ETag, OursSince: ours.Since}, nil); err != nil {
					t.Errorf("afterwards: got %v", err)
				}
			})
		})
	}
}
