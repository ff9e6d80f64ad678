package copier_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
	"syncd/internal/copier/upload"
	"syncd/internal/listing"
)

// cut copies an object until the given number of parts is made, and then ends like a process that
// is killed during the next part.
func (w *world) cut(t *testing.T, object listing.Object, made int) *uploadRecord {
	t.Helper()
	former := w.options
	defer func() { w.options = former }()
	w.options.Slots = slots(1)
	ctx, kill := context.WithCancel(t.Context())
	defer w.cloud.Inject(awsfake.Fault{Operation: w.partRequest(), Skip: made, Kind: awsfake.Timeout, Do: kill})()
	left := &uploadRecord{}
	_, _, err := copier.New(w.options).Copy(ctx, object, copier.Target{}, left)
	if awserr.Classify(err) != awserr.Canceled || !left.open || w.destination.Uploads() != 1 {
		t.Fatalf("got %v, recorded %v, %d uploads, want an interrupted copy and its upload kept", err, left.open, w.destination.Uploads())
	}
	w.cloud.ResetRequests()
	return left
}

// sameAsSource fails unless the copy equals the current source object and no upload is left.
func (w *world) sameAsSource(t *testing.T, key string, copied awsfake.ObjectInfo) {
	t.Helper()
	type kept struct {
		Size                    int64
		Checksum                string
		Headers, Metadata, Tags map[string]string
	}
	of := func(o awsfake.ObjectInfo) kept { return kept{o.Size, o.Checksum, o.Headers, o.Metadata, o.Tags} }
	original, _ := w.source.Object(key)
	if diff := cmp.Diff(of(original), of(copied), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("content of the copy (-source +copy):\n%s", diff)
	}
	if n := w.destination.Uploads(); n != 0 {
		t.Errorf("got %d unfinished uploads, want none", n)
	}
}

func (w *world) mustCopyWith(t *testing.T, object listing.Object, uploads *uploadRecord) (copier.Result, awsfake.ObjectInfo) {
	t.Helper()
	result, err := w.copyWith(t, object, uploads)
	if err != nil {
		t.Fatalf("copy %q: %v", object.Key, err)
	}
	if uploads.open {
		t.Errorf("upload %+v is still recorded after its end", uploads.upload)
	}
	copied, _ := w.destination.Object(result.DestinationKey)
	return result, copied
}

// TestResume checks that the upload of a killed process is resumed, and that no finished part is
// made twice.
func TestResume(t *testing.T) {
	for mode, w := range modes(t) {
		t.Run(mode, func(t *testing.T) {
			parts := int64(4)
			if w.options.Relay {
				parts = 3
				w.options.PartSize = 6 * mib
			}
			object := w.putLarge(rich())
			left := w.cut(t, object, 2)
			want := record.Upload{
				Key: object.Key, Bucket: "consumer-copy", DestinationKey: object.Key, ID: left.upload.ID,
				Source: object.Version, PartSize: w.options.PartSize, Relay: w.options.Relay, BeganAt: left.upload.BeganAt,
				Settings: left.upload.Settings,
			}
			if diff := cmp.Diff(want, left.upload); diff != "" || left.upload.ID == "" || time.Since(left.upload.BeganAt) > time.Minute {
				t.Errorf("recorded upload (-want +got):\n%s", diff)
			}
			result, copied := w.mustCopyWith(t, object, left)
			if result.Resumed != 2 || int64(result.Parts) != parts {
				t.Errorf("got %d of %d parts resumed, want 2 of %d", result.Resumed, result.Parts, parts)
			}
			requests := w.cloud.Requests()
			got := awsfake.Requests{}
			for _, operation := range []string{w.partRequest(), "ListParts", "CreateMultipartUpload", "AbortMultipartUpload"} {
				got[operation] = requests[operation]
			}
			if diff := cmp.Diff(awsfake.Requests{w.partRequest(): parts - 2, "ListParts": 1, "CreateMultipartUpload": 0, "AbortMultipartUpload": 0}, got); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if len(left.began) != 2 || left.began[1] != want {
				t.Errorf("got uploads %+v recorded, want the same one again when it was taken over", left.began)
			}
			w.sameAsSource(t, object.Key, copied)
		})
	}
}

// TestResumeOfOnlyTheCompletion checks that an upload that was interrupted after its last part is
// completed without making any part again.
func TestResumeOfOnlyTheCompletion(t *testing.T) {
	for mode, w := range modes(t) {
		t.Run(mode, func(t *testing.T) {
			object := w.putLarge(awsfake.PutOptions{})
			ctx, kill := context.WithCancel(t.Context())
			remove := w.cloud.Inject(awsfake.Fault{Operation: "CompleteMultipartUpload", Kind: awsfake.Timeout, Do: kill})
			left := &uploadRecord{}
			if _, _, err := copier.New(w.options).Copy(ctx, object, copier.Target{}, left); err == nil {
				t.Fatal("got a copy, want it interrupted")
			}
			remove()
			w.cloud.ResetRequests()
			result, copied := w.mustCopyWith(t, object, left)
			if n := w.cloud.Requests()[w.partRequest()]; n != 0 || result.Resumed != result.Parts {
				t.Errorf("got %d parts made again and %d of %d resumed, want all resumed", n, result.Resumed, result.Parts)
			}
			w.sameAsSource(t, object.Key, copied)
		})
	}
}

// TestResumeNeedsTheSameCopy changes the object or a setting after the upload began. It checks that
// the upload is aborted and none of its parts are used.
func TestResumeNeedsTheSameCopy(t *testing.T) {
	for name, change := range map[string]func(w *world, object *listing.Object, left *uploadRecord){
		"the source": func(w *world, object *listing.Object, _ *uploadRecord) {
			*object = w.put(object.Key, awsfake.SyntheticBody(object.Size, 2), awsfake.PutOptions{})
		},
		"the source, listed before": func(w *world, object *listing.Object, _ *uploadRecord) {
			w.put(object.Key, awsfake.SyntheticBody(object.Size, 2), awsfake.PutOptions{})
		},
		"the source, small now": func(w *world, object *listing.Object, _ *uploadRecord) { *object = w.putText(object.Key, "small") },
		"the part size":         func(w *world, _ *listing.Object, _ *uploadRecord) { w.options.PartSize = 7 * mib },
		"the date, with the same bytes": func(_ *world, _ *listing.Object, left *uploadRecord) {
			left.upload.Source.LastModified = left.upload.Source.LastModified.Add(-time.Second)
		},
		"the size, by the ETag": func(_ *world, _ *listing.Object, left *uploadRecord) { left.upload.Source.Size-- },
		"the mode":              func(_ *world, _ *listing.Object, left *uploadRecord) { left.upload.Relay = !left.upload.Relay },
		"the key":               func(_ *world, _ *listing.Object, left *uploadRecord) { left.upload.Key += "x" },
	} {
		t.Run(name, func(t *testing.T) {
			for mode, w := range modes(t) {
				t.Run(mode, func(t *testing.T) {
					object := w.putLarge(awsfake.PutOptions{})
					left := w.cut(t, object, 2)
					change(w, &object, left)
					result, copied := w.mustCopyWith(t, object, left)
					if n := w.cloud.Requests()["AbortMultipartUpload"]; result.Resumed != 0 || n != 1 {
						t.Errorf("got %d parts resumed and %d uploads aborted, want none resumed, and the old upload aborted", result.Resumed, n)
					}
					w.sameAsSource(t, object.Key, copied)
				})
			}
		})
	}
}

// TestResumeOfAnUploadThatIsGone checks that a copy starts over if its upload was removed, for
// example by a lifecycle rule.
func TestResumeOfAnUploadThatIsGone(t *testing.T) {
	for mode, w := range modes(t) {
		t.Run(mode, func(t *testing.T) {
			object := w.putLarge(awsfake.PutOptions{})
			left := w.cut(t, object, 2)
			w.abort(t, left.upload.DestinationKey, left.upload.ID)
			result, copied := w.mustCopyWith(t, object, left)
			if diff := cmp.Diff([]string{upload.NoteStartedAnew}, result.Notes); diff != "" || result.Resumed != 0 {
				t.Errorf("got %d parts resumed, want none; notes (-want +got):\n%s", result.Resumed, diff)
			}
			w.sameAsSource(t, object.Key, copied)
		})
	}
}

func (w *world) abort(t *testing.T, key, id string) {
	t.Helper()
	_, err := w.client.AbortMultipartUpload(t.Context(), &s3.AbortMultipartUploadInput{Bucket: aws.String("consumer-copy"), Key: &key, UploadId: &id})
	if err != nil {
		t.Fatal(err)
	}
}

// TestResumeWithoutPermission checks that a copy starts over if the parts cannot be listed, and
// continues if the earlier upload cannot be aborted.
func TestResumeWithoutPermission(t *testing.T) {
	for mode, w := range modes(t) {
		t.Run(mode, func(t *testing.T) {
			object := w.putLarge(awsfake.PutOptions{})
			left := w.cut(t, object, 2)
			w.cloud.Inject(awsfake.Fault{Operation: "ListParts", Kind: awsfake.AccessDenied})
			w.cloud.Inject(awsfake.Fault{Operation: "AbortMultipartUpload", Kind: awsfake.AccessDenied})
			result, err := w.copyWith(t, object, left)
			if diff := cmp.Diff([]string{upload.NoteStays, upload.NoteStartedAnew}, result.Notes); diff != "" || err != nil || left.open {
				t.Errorf("got %v, recorded %v; notes (-want +got):\n%s", err, left.open, diff)
			}
			if n := w.destination.Uploads(); n != 1 {
				t.Errorf("got %d uploads, want only the former upload", n)
			}
		})
	}
}

// TestResumeOfThousandsOfParts checks that an upload is resumed if listing its parts takes several
// pages.
func TestResumeOfThousandsOfParts(t *testing.T) {
	if testing.Short() {
		t.Skip("too slow under the race detector; make test runs it")
	}
	const parts = 2_345
	w := newParted(t)
	object := w.put("k", awsfake.SyntheticBody(parts*5*mib, 1), awsfake.PutOptions{})
	left := w.cut(t, object, parts-10)
	result, copied := w.mustCopyWith(t, object, left)
	if result.Resumed != parts-10 || w.cloud.Requests()["UploadPartCopy"] != 10 || w.cloud.Requests()["ListParts"] != 3 {
		t.Errorf("got %d parts resumed by %v, want %d by three pages, and ten made", result.Resumed, w.cloud.Requests(), parts-10)
	}
	w.sameAsSource(t, "k", copied)
}

// TestResumeRemakesPartsThatDoNotFit checks that parts of the recorded upload are made again if
// they have another size, come after the last part or, in a relay, have no checksum.
func TestResumeRemakesPartsThatDoNotFit(t *testing.T) {
	for mode, w := range modes(t) {
		t.Run(mode, func(t *testing.T) {
			object := w.putLarge(awsfake.PutOptions{})
			left := w.cut(t, object, 2)
			odd := bytes.Repeat([]byte("odd"), 2*mib)
			for _, number := range []int32{1, 2, 3, 4, 9} {
				_, err := w.client.UploadPart(t.Context(), &s3.UploadPartInput{
					Bucket: aws.String("consumer-copy"), Key: &object.Key, UploadId: &left.upload.ID, PartNumber: &number, Body: bytes.NewReader(odd),
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			result, copied := w.mustCopyWith(t, object, left)
			if result.Resumed != 0 {
				t.Errorf("got %d parts resumed, want none of the unsuitable parts", result.Resumed)
			}
			w.sameAsSource(t, object.Key, copied)
		})
	}
}

func TestResumeOfARelayNeedsChecksums(t *testing.T) {
	w := newParted(t)
	w.relaying(64 * mib)
	object := w.putLarge(awsfake.PutOptions{})
	left := w.cut(t, object, 2)
	sums := regexp.MustCompile(`<ChecksumCRC64NVME>.*?</ChecksumCRC64NVME>`)
	w.wire.change = func(res *http.Response) {
		if res.Request.Method == http.MethodGet && res.Request.URL.Query().Has("uploadId") {
			body, err := io.ReadAll(res.Body)
			if err != nil {
				t.Error(err)
			}
			replaceBody(res, sums.ReplaceAllString(string(body), ""))
		}
	}
	result, copied := w.mustCopyWith(t, object, left)
	if result.Resumed != 0 {
		t.Errorf("got %d parts resumed, want none without a checksum", result.Resumed)
	}
	w.sameAsSource(t, object.Key, copied)
}

// TestResumeAsTheListOfPartsFails checks that the upload is kept if listing its parts fails,
// because the failure does not affect the parts.
func TestResumeAsTheListOfPartsFails(t *testing.T) {
	for _, kind := range []awsfake.FaultKind{awsfake.ExpiredToken, awsfake.Throttle, awsfake.InternalError} {
		w := newParted(t)
		object := w.putLarge(awsfake.PutOptions{})
		left := w.cut(t, object, 2)
		w.cloud.Inject(awsfake.Fault{Operation: "ListParts", Kind: kind})
		if _, err := w.copyWith(t, object, left); err == nil || !left.open || w.destination.Uploads() != 1 {
			t.Errorf("fault %v: got %v, recorded %v, %d uploads, want the upload kept", kind, err, left.open, w.destination.Uploads())
		}
	}
}

// TestUploadThatCannotBeRecorded checks that an upload that cannot be recorded is aborted, also if
// the copy was canceled, because no later process could find it.
func TestUploadThatCannotBeRecorded(t *testing.T) {
	for mode, w := range modes(t) {
		t.Run(mode, func(t *testing.T) {
			for _, failure := range []error{errors.New("disk is full"), context.Canceled} {
				object := w.putLarge(awsfake.PutOptions{})
				_, err := w.copyWith(t, object, &uploadRecord{fail: failure})
				if !errors.Is(err, failure) || w.destination.Uploads() != 0 || w.cloud.Requests()[w.partRequest()] != 0 {
					t.Errorf("got %v, %d uploads, %v, want the failure before any part and no upload", err, w.destination.Uploads(), w.cloud.Requests())
				}
			}
		})
	}
}
