package copier_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/copier"
	"syncd/internal/iam"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

const mib = 1 << 20

// newParted returns a world that copies objects above 5 MiB in parts of 5 MiB.
func newParted(tb testing.TB) *world {
	tb.Helper()
	w := newWorld(tb)
	w.options.MultipartAbove, w.options.PartSize = 5*mib, 5*mib
	return w
}

func (w *world) putLarge(o awsfake.PutOptions) listing.Object {
	return w.put("dir/large +", awsfake.SyntheticBody(17*mib+3, 1), o)
}

// rich returns put options with every property that an object can have besides its content.
func rich() awsfake.PutOptions {
	return awsfake.PutOptions{
		ContentType: "text/csv; charset=utf-8",
		Headers: map[string]string{
			"Cache-Control": "max-age=60, private", "Content-Disposition": `attachment; filename="a b.csv"`, "Content-Encoding": "gzip",
			"Content-Language": "de, en", "Expires": "Wed, 21 Oct 2026 07:28:00 GMT",
		},
		Metadata: map[string]string{"team": "data", "two--dashes": "a, b; c=d", "name": "caf\u00e9", "empty": ""},
		Tags:     map[string]string{"plain": "v", "with space": "a b", "signs": "_.:/=+-@", "caf\u00e9": "\u65e5", "empty": ""},
	}
}

func TestCopyInParts(t *testing.T) {
	w := newParted(t)
	w.options.StorageClass = "STANDARD_IA"
	object := w.putLarge(rich())
	got, copied := w.mustCopy(t, object)
	want := copier.Result{
		Object: object, DestinationKey: object.Key, DestinationETag: `"` + copied.ETag + `"`, DestinationVersionID: copied.VersionID,
		KeyARN: w.key.ARN(), BucketKey: true, Checksum: "crc64nvme:" + copied.Checksum, Parts: 4, CopiedAt: got.CopiedAt,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	original, _ := w.source.Object(object.Key)
	type kept struct {
		Size                    int64
		Checksum                string
		Headers, Metadata, Tags map[string]string
	}
	of := func(o awsfake.ObjectInfo) kept { return kept{o.Size, o.Checksum, o.Headers, o.Metadata, o.Tags} }
	if diff := cmp.Diff(of(original), of(copied)); diff != "" {
		t.Errorf("properties of the copy (-source +copy):\n%s", diff)
	}
	if copied.StorageClass != "STANDARD_IA" || copied.KeyARN != w.key.ARN() || !copied.BucketKey || w.destination.Uploads() != 0 {
		t.Errorf("got %+v and %d uploads, want the configured class and key, and no upload", copied, w.destination.Uploads())
	}
	requests := awsfake.Requests{
		"HeadObject": 1, "GetObjectTagging": 1, "CreateMultipartUpload": 1, "UploadPartCopy": 4, "CompleteMultipartUpload": 1,
	}
	if diff := cmp.Diff(requests, w.cloud.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestCopyInPartsSends(t *testing.T) {
	w := newParted(t)
	w.options.SourcePlace.RequestPayer = true
	object := w.putLarge(awsfake.PutOptions{Tags: map[string]string{"a b": "c+d"}})
	w.mustCopy(t, object)
	ranges := map[string]bool{}
	for _, r := range w.wire.requests("PUT", "partNumber=") {
		h := amzHeaders(r)
		ranges[h["X-Amz-Copy-Source-Range"]] = true
		delete(h, "X-Amz-Copy-Source-Range")
		want := map[string]string{
			"X-Amz-Copy-Source": "owner-data/dir/large%20%2B", "X-Amz-Copy-Source-If-Match": object.ETag, "X-Amz-Request-Payer": "requester",
			"X-Amz-Expected-Bucket-Owner": consumer, "X-Amz-Source-Expected-Bucket-Owner": owner,
		}
		if diff := cmp.Diff(want, h); diff != "" {
			t.Errorf("headers of a part (-want +got):\n%s", diff)
		}
	}
	want := map[string]bool{
		"bytes=0-5242879": true, "bytes=5242880-10485759": true, "bytes=10485760-15728639": true, "bytes=15728640-17825794": true,
	}
	if diff := cmp.Diff(want, ranges); diff != "" {
		t.Errorf("ranges (-want +got):\n%s", diff)
	}
	created := amzHeaders(w.wire.requests("POST", "uploads")[0])
	if diff := cmp.Diff(map[string]string{
		"X-Amz-Expected-Bucket-Owner": consumer, "X-Amz-Server-Side-Encryption": "aws:kms", "X-Amz-Tagging": "a%20b=c%2Bd",
		"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": w.key.ARN(), "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "true",
	}, created); diff != "" {
		t.Errorf("headers of the creation (-want +got):\n%s", diff)
	}
	completed := amzHeaders(w.wire.requests("POST", "uploadId=")[0])
	if diff := cmp.Diff(map[string]string{
		"X-Amz-Expected-Bucket-Owner": consumer, "X-Amz-Mp-Object-Size": fmt.Sprint(object.Size),
	}, completed); diff != "" {
		t.Errorf("headers of the completion (-want +got):\n%s", diff)
	}
	for _, r := range append(w.wire.requests("HEAD", ""), w.wire.requests("GET", "tagging")...) {
		h := amzHeaders(r)
		if h["X-Amz-Expected-Bucket-Owner"] != owner || h["X-Amz-Request-Payer"] != "requester" {
			t.Errorf("%s: got headers %v, want the source's owner and the payer", r.Method, h)
		}
		if r.Method == http.MethodHead && r.Header.Get("If-Match") != object.ETag {
			t.Errorf("HEAD: got If-Match %s, want %s", r.Header.Get("If-Match"), object.ETag)
		}
	}
}

func TestCopyInPartsOmitsWhatIsConfigured(t *testing.T) {
	w := newParted(t)
	w.options.OmitMetadata, w.options.OmitTags = true, true
	_, copied := w.mustCopy(t, w.putLarge(rich()))
	if len(copied.Metadata) != 0 || len(copied.Tags) != 0 || copied.Headers["Cache-Control"] != "" {
		t.Errorf("got %+v, want neither metadata nor tags", copied)
	}
	if got := w.cloud.Requests(); got["HeadObject"]+got["GetObjectTagging"] != 0 {
		t.Errorf("got requests %v, want none for omitted metadata and tags", got)
	}
}

// TestCopyInPartsLosesNoMetadata checks that a copy fails if the object has metadata that HEAD can
// count but not return, unless metadata is omitted.
func TestCopyInPartsLosesNoMetadata(t *testing.T) {
	w := newParted(t)
	object := w.putLarge(awsfake.PutOptions{})
	w.wire.change = func(res *http.Response) {
		if res.Request.Method == http.MethodHead {
			res.Header.Set("X-Amz-Missing-Meta", "1")
		}
	}
	if _, err := w.copy(t, object); err == nil || !strings.Contains(err.Error(), "metadata") {
		t.Errorf("got %v, want an error", err)
	}
	w.options.OmitMetadata = true
	w.mustCopy(t, object)
}

func TestCopyInPartsBeginsAtItsThreshold(t *testing.T) {
	for _, tt := range []struct {
		above, size int64
		want        int
	}{
		{0, transfer.MaxCopyObject, 0},
		{0, transfer.MaxCopyObject + 1, 21},
		{transfer.MaxCopyObject + 1, transfer.MaxCopyObject + 1, 21},
		{5 * mib, 5 * mib, 0},
		{5 * mib, 5*mib + 1, 1},
		{1, 5 * mib, 0}, // S3 copies no ranges of an object this small
	} {
		w := newWorld(t)
		w.options.MultipartAbove = tt.above
		result, copied := w.mustCopy(t, w.put("k", awsfake.SyntheticBody(tt.size, 7), awsfake.PutOptions{}))
		if result.Parts != tt.want || copied.Size != tt.size {
			t.Errorf("%d bytes, in parts above %d: got %d parts of %d bytes, want %d parts", tt.size, tt.above, result.Parts, copied.Size, tt.want)
		}
	}
}

var tebibytes = flag.Bool("tebibytes", false, "copy an object of 20 TiB too; make stress sets it")

// TestCopyOfAnObjectOfTebibytes checks that an object of tebibytes is copied in at most 10,000
// parts. TestPartsMakeTheObject covers the largest object that S3 allows.
func TestCopyOfAnObjectOfTebibytes(t *testing.T) {
	if testing.Short() {
		t.Skip("too slow under the race detector; make test runs it")
	}
	for _, tt := range []struct {
		size, partSize int64
		want           int
	}{
		{6<<40 + 1, 5 << 30, 1229},
		{20 << 40, 0, 9996},
	} {
		if tt.want > 5000 && !*tebibytes {
			continue
		}
		w := newWorld(t)
		w.options.PartSize = tt.partSize
		object := w.put("k", awsfake.SyntheticBody(tt.size, 1), awsfake.PutOptions{})
		result, copied := w.mustCopy(t, object)
		original, _ := w.source.Object("k")
		if copied.Size != tt.size || copied.Checksum != original.Checksum || result.Parts != tt.want {
			t.Errorf("got %d bytes in %d parts, checksum %s, want %d in %d with %s", copied.Size, result.Parts, copied.Checksum, tt.size, tt.want, original.Checksum)
		}
	}
}

func TestCopyOfAnObjectTooLarge(t *testing.T) {
	w := newWorld(t)
	object := listing.Object{Key: "k", Version: transfer.Version{ETag: `"e"`, Size: 10_000*5<<30 + 1}}
	if _, err := w.copy(t, object); copier.Reason(err) != string(awserr.TooLarge) || len(w.cloud.Requests()) != 0 {
		t.Errorf("got %v, reason %q after %v, want %q before any request", err, copier.Reason(err), w.cloud.Requests(), awserr.TooLarge)
	}
}

// TestCopyInPartsNeverMixes overwrites the source before each request of a copy in turn. It checks
// that the copy is a single version.
func TestCopyInPartsNeverMixes(t *testing.T) {
	steps := []string{"HeadObject", "GetObjectTagging", "CreateMultipartUpload", "UploadPartCopy 0", "UploadPartCopy 1", "UploadPartCopy 3", "CompleteMultipartUpload"}
	for _, step := range steps {
		t.Run(step, func(t *testing.T) {
			w := newParted(t)
			object := w.putLarge(awsfake.PutOptions{Metadata: map[string]string{"version": "1"}, Tags: map[string]string{"version": "1"}})
			var operation string
			var skip int
			_, _ = fmt.Sscan(step, &operation, &skip)
			w.cloud.Inject(awsfake.Fault{Operation: operation, Skip: skip, Times: 1, Do: func() {
				w.put(object.Key, awsfake.SyntheticBody(object.Size, 2), awsfake.PutOptions{
					Metadata: map[string]string{"version": "2"}, Tags: map[string]string{"version": "2"},
				})
			}})
			result, copied := w.mustCopy(t, object)
			want := map[string]string{"version": "2"}
			content := awsfake.SyntheticBody(object.Size, 2)
			if step == "CompleteMultipartUpload" { // all parts were read before
				want["version"], content = "1", awsfake.SyntheticBody(object.Size, 1)
			}
			proof := w.source.Put("proof", content, awsfake.PutOptions{})
			if copied.Checksum != proof.Checksum {
				t.Errorf("got content with checksum %s, want all of version %s with %s", copied.Checksum, want["version"], proof.Checksum)
			}
			if diff := cmp.Diff([]map[string]string{want, want}, []map[string]string{copied.Metadata, copied.Tags}); diff != "" {
				t.Errorf("metadata and tags (-want +got):\n%s", diff)
			}
			current, _ := w.source.Object(object.Key)
			if named := result.Object.ETag == `"`+current.ETag+`"`; named != (want["version"] == "2") {
				t.Errorf("got a result for %s, want the version that was copied", result.Object.ETag)
			}
			if n := w.destination.Uploads(); n != 0 {
				t.Errorf("got %d unfinished uploads, want none", n)
			}
		})
	}
}

// TestCopyInPartsTheSourceShrinks checks that an object is copied in one piece if it was
// overwritten with a small object after the listing.
func TestCopyInPartsTheSourceShrinks(t *testing.T) {
	w := newParted(t)
	object := w.putLarge(awsfake.PutOptions{})
	w.putText(object.Key, "small")
	result, _ := w.mustCopy(t, object)
	if got, err := w.destination.Read(object.Key); string(got) != "small" || result.Parts != 0 || result.Object.Size != 5 {
		t.Errorf("got %q, %v, result %+v, want the small object in one piece", got, err, result)
	}
}

// TestCopyInPartsFails makes each request of a copy in parts fail with each kind of fault that can
// occur in its response. It checks that no upload remains and that the error has the right reason.
func TestCopyInPartsFails(t *testing.T) {
	for _, operation := range []string{"HeadObject", "GetObjectTagging", "CreateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload"} {
		for _, tt := range []struct {
			kind awsfake.FaultKind
			want string
		}{
			{awsfake.AccessDenied, "denied"},
			{awsfake.Throttle, "throttled"},
			{awsfake.InternalError, "transient"},
			{awsfake.Reset, "transient"},
			{awsfake.ErrorIn200, "transient"},
		} {
			if operation == "HeadObject" && tt.kind != awsfake.AccessDenied && tt.kind != awsfake.Reset {
				continue // a response to HEAD has no body with the error
			}
			if tt.kind == awsfake.ErrorIn200 && operation != "UploadPartCopy" && operation != "CompleteMultipartUpload" {
				continue
			}
			t.Run(fmt.Sprintf("%s %s", operation, tt.want), func(t *testing.T) {
				w := newParted(t)
				object := w.putLarge(awsfake.PutOptions{})
				w.cloud.Inject(awsfake.Fault{Operation: operation, Kind: tt.kind})
				_, err := w.copy(t, object)
				if got := copier.Reason(err); got != tt.want {
					t.Errorf("got reason %q (%v), want %q", got, err, tt.want)
				}
				if n := w.destination.Uploads(); n != 0 || len(w.destination.Keys()) != 0 {
					t.Errorf("got %d uploads and %q, want nothing left behind", n, w.destination.Keys())
				}
			})
		}
	}
}

// TestCopyInPartsThatCannotBeCleanedUp checks that the error names an upload that could not be
// aborted, and keeps the class of the failure.
func TestCopyInPartsThatCannotBeCleanedUp(t *testing.T) {
	w := newParted(t)
	object := w.putLarge(awsfake.PutOptions{})
	w.cloud.Inject(awsfake.Fault{Operation: "AbortMultipartUpload", Kind: awsfake.AccessDenied})
	ctx, cancel := context.WithCancel(t.Context())
	w.cloud.Inject(awsfake.Fault{Operation: "UploadPartCopy", Skip: 1, Kind: awsfake.Timeout, Do: cancel})
	_, _, err := copier.New(w.options).Copy(ctx, object, copier.Target{}, nil)
	if class := awserr.Classify(err); class != awserr.Canceled {
		t.Errorf("got class %q, want %q: %v", class, awserr.Canceled, err)
	}
	if text := fmt.Sprint(err); !strings.Contains(text, "was not removed") || !strings.Contains(text, "AccessDenied") {
		t.Errorf("got %q, want an error that names the remaining upload and the cause", text)
	}
}

func TestCopyInPartsCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newParted(t)
		object := w.putLarge(awsfake.PutOptions{})
		w.cloud.Inject(awsfake.Fault{Operation: "UploadPartCopy", Skip: 1, Kind: awsfake.Timeout})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, _, err := copier.New(w.options).Copy(ctx, object, copier.Target{}, nil)
		if err == nil || w.destination.Uploads() != 0 {
			t.Errorf("got %v and %d uploads, want an error and none", err, w.destination.Uploads())
		}
		if n := w.cloud.Requests()["AbortMultipartUpload"]; n != 1 {
			t.Errorf("got %d aborts, want 1", n)
		}
	})
}

// TestCopyInPartsWhoseUploadIsLost checks that a copy starts over if its upload is removed during
// the copy, as a lifecycle rule can do.
func TestCopyInPartsWhoseUploadIsLost(t *testing.T) {
	for mode, w := range modes(t) {
		t.Run(mode, func(t *testing.T) {
			object := w.putLarge(awsfake.PutOptions{})
			left := &uploadRecord{}
			w.cloud.Inject(awsfake.Fault{Operation: w.partRequest(), Skip: 1, Times: 1, Do: func() { w.abort(t, object.Key, left.upload.ID) }})
			w.options.Slots = slots(1)
			_, copied := w.mustCopyWith(t, object, left)
			w.sameAsSource(t, object.Key, copied)
		})
	}
}

func TestCopyInPartsUnderAKeyItCannotUse(t *testing.T) {
	w := newParted(t)
	object := w.putLarge(awsfake.PutOptions{})
	// A copy in parts also needs kms:Decrypt on the destination's key, unlike a copy in one piece.
	w.key.SetPolicy(iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Principal":{"AWS":%q},"Action":"kms:GenerateDataKey","Resource":"*"}]}`, consumer)))
	if _, err := w.copy(t, object); awserr.Classify(err) != awserr.Denied || !strings.Contains(fmt.Sprint(err), "kms:Decrypt") {
		t.Errorf("got %v, want class denied with the action named", err)
	}
	w.mustCopy(t, w.putText("small", "x"))
	w.key.SetEnabled(false)
	if _, err := w.copy(t, w.putText("other", "y")); copier.Reason(err) != string(awserr.KeyDisabled) {
		t.Errorf("got %v, want reason %q", err, awserr.KeyDisabled)
	}
}

// TestCopyOfRealBytesInParts checks the content of a copy in parts by reading it back.
func TestCopyOfRealBytesInParts(t *testing.T) {
	w := newParted(t)
	content := bytes.Repeat([]byte("0123456789abcde\n"), 11*mib/16+5)
	w.mustCopy(t, w.put("k", awsfake.BytesBody(content), awsfake.PutOptions{Multipart: true}))
	if got, err := w.destination.Read("k"); err != nil || !bytes.Equal(got, content) {
		t.Errorf("got %d bytes, %v, want the %d of the source", len(got), err, len(content))
	}
}
