package copier_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/copier"
	"syncd/internal/copier/request"
)

func TestCopyIsOneRequest(t *testing.T) {
	w := newWorld(t)
	object := w.put("exports/a b+c.csv", awsfake.BytesBody([]byte("content")), awsfake.PutOptions{
		ContentType: "text/csv", Headers: map[string]string{"Cache-Control": "no-store"},
		Metadata: map[string]string{"team": "data"}, Tags: map[string]string{"k": "v"}, StorageClass: "STANDARD_IA",
	})
	w.options.SourcePlace.Prefix, w.options.DestinationPlace.Prefix = "exports/", "in/"
	now := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	w.options.Now = func() time.Time { return now }
	got, copied := w.mustCopy(t, object)
	want := copier.Result{
		Object: object, DestinationKey: "in/a b+c.csv", DestinationETag: `"` + copied.ETag + `"`, DestinationVersionID: copied.VersionID,
		KeyARN: w.key.ARN(), BucketKey: true, Checksum: "crc64nvme:" + copied.Checksum, CopiedAt: now,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("result (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(awsfake.Requests{"CopyObject": 1}, w.cloud.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	original, _ := w.source.Object(object.Key)
	type kept struct {
		Size           int64
		Checksum       string
		Headers        map[string]string
		Metadata, Tags map[string]string
	}
	of := func(o awsfake.ObjectInfo) kept { return kept{o.Size, o.Checksum, o.Headers, o.Metadata, o.Tags} }
	if diff := cmp.Diff(of(original), of(copied)); diff != "" {
		t.Errorf("properties of the copy (-source +copy):\n%s", diff)
	}
	if copied.KeyARN != w.key.ARN() || !copied.BucketKey || copied.StorageClass != "STANDARD" {
		t.Errorf("got key %s, bucket key %v, class %s, want the configured values", copied.KeyARN, copied.BucketKey, copied.StorageClass)
	}
}

// TestCopySends checks all headers of a copy request, because bucket and key policies depend on
// them.
func TestCopySends(t *testing.T) {
	key := func(w *world) string { return w.key.ARN() }
	always := func(w *world) map[string]string {
		return map[string]string{
			"X-Amz-Copy-Source": "owner-data/dir/a%2Bb", "X-Amz-Server-Side-Encryption": "aws:kms",
			"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id": key(w), "X-Amz-Object-Annotation-Directive": "EXCLUDE",
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*copier.Options)
		want   map[string]string // headers in addition to the common headers
	}{
		{"plain", func(o *copier.Options) { *o = bare(*o) }, map[string]string{"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "false"}},
		{"bucket key", func(o *copier.Options) { *o = bare(*o); o.BucketKey = true }, map[string]string{
			"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "true",
		}},
		{"owners", func(*copier.Options) {}, map[string]string{
			"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "true",
			"X-Amz-Expected-Bucket-Owner":                     consumer, "X-Amz-Source-Expected-Bucket-Owner": owner,
		}},
		{"everything", func(o *copier.Options) {
			*o = bare(*o)
			o.SourcePlace.RequestPayer, o.StorageClass, o.OmitMetadata, o.OmitTags = true, "STANDARD_IA", true, true
		}, map[string]string{
			"X-Amz-Server-Side-Encryption-Bucket-Key-Enabled": "false", "X-Amz-Request-Payer": "requester",
			"X-Amz-Storage-Class": "STANDARD_IA", "X-Amz-Metadata-Directive": "REPLACE", "X-Amz-Tagging-Directive": "REPLACE",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			object := w.putText("dir/a+b", "x")
			tt.change(&w.options)
			w.mustCopy(t, object)
			want := always(w)
			maps.Copy(want, tt.want)
			want["X-Amz-Copy-Source-If-Match"] = object.ETag
			if diff := cmp.Diff(want, amzHeaders(w.wire.requests("PUT", "")[0])); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
		})
	}
}

// bare removes all optional settings.
func bare(o copier.Options) copier.Options {
	o.BucketKey, o.SourcePlace.Account, o.DestinationPlace.Account = false, "", ""
	return o
}

// amzHeaders returns the x-amz- headers of a request, except those of its signature.
func amzHeaders(r *http.Request) map[string]string {
	headers := map[string]string{}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amz-") && name != "X-Amz-Date" && name != "X-Amz-Content-Sha256" {
			headers[name] = r.Header.Get(name)
		}
	}
	return headers
}

func TestCopyOmitsWhatIsConfigured(t *testing.T) {
	w := newWorld(t)
	object := w.put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{
		ContentType: "text/csv", Metadata: map[string]string{"team": "data"}, Tags: map[string]string{"k": "v"},
	})
	w.options.OmitMetadata, w.options.OmitTags, w.options.StorageClass = true, true, "INTELLIGENT_TIERING"
	_, copied := w.mustCopy(t, object)
	if len(copied.Metadata) != 0 || len(copied.Tags) != 0 || copied.ContentType == "text/csv" || copied.StorageClass != "INTELLIGENT_TIERING" {
		t.Errorf("got %+v, want no metadata, no tags and the requested class", copied)
	}
}

// TestCopyFollowsTheSource checks that the newest version is copied if the source is overwritten
// between listing and copy.
func TestCopyFollowsTheSource(t *testing.T) {
	w := newWorld(t)
	object := w.putText("k", "old")
	newer := w.putText("k", "newer")
	result, copied := w.mustCopy(t, object)
	if got, _ := w.destination.Read("k"); string(got) != "newer" || copied.Size != 5 {
		t.Errorf("got %q, want the newest version", got)
	}
	// HEAD returns no class for STANDARD.
	newer.StorageClass = ""
	if diff := cmp.Diff(newer, result.Object); diff != "" {
		t.Errorf("version in the result (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(awsfake.Requests{"CopyObject": 2, "HeadObject": 1}, w.cloud.Requests()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestCopyGivesUpOnAnUnsteadySource(t *testing.T) {
	w := newWorld(t)
	object, writes := w.putText("k", "0"), 0
	w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Do: func() {
		writes++
		w.putText("k", fmt.Sprint(writes))
	}})
	_, err := w.copy(t, object)
	if !errors.Is(err, copier.ErrUnsteady) || copier.Reason(err) != "changed" {
		t.Errorf("got %v, reason %q, want ErrUnsteady, reason changed", err, copier.Reason(err))
	}
	if n := w.cloud.Requests()["CopyObject"]; n != 3 {
		t.Errorf("got %d attempts, want 3", n)
	}
	if keys := w.destination.Keys(); len(keys) != 0 {
		t.Errorf("got copies %q, want none", keys)
	}
}

func TestCopyOfAVanishedObject(t *testing.T) {
	for _, size := range []int64{1, 6 << 20} {
		w := newWorld(t)
		w.options.MultipartAbove = 5 << 20
		object := w.put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{})
		w.source.Delete("k")
		_, err := w.copy(t, object)
		if class := awserr.Classify(err); class != awserr.Gone {
			t.Errorf("%d bytes: got class %q (%v), want %q", size, class, err, awserr.Gone)
		}
		failure, ok := errors.AsType[*request.ObjectError](err)
		if !ok || failure.Bucket != "owner-data" || failure.Key != "k" {
			t.Errorf("%d bytes: got %#v, want an ObjectError that names the source", size, err)
		}
	}
}

// TestExistingSourceIsNotGone checks that an object is not reported as gone if a service responds
// to a copy request that the source does not exist, but returns the source for a HEAD request.
func TestExistingSourceIsNotGone(t *testing.T) {
	w := newWorld(t)
	object := w.putText("k", "x")
	notFound := func(res *http.Response) {
		if res.Request.Method == http.MethodPut {
			res.StatusCode = http.StatusNotFound
			replaceBody(res, `<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>`)
		}
	}
	w.wire.change = notFound
	if result, err := w.copy(t, object); err != nil || !result.Adopted {
		t.Errorf("got %+v, %v, want the copy that was nevertheless made", result, err)
	}
	w.destination.Delete("k")
	w.wire.next = roundTrip(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPut {
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
		}
		return w.cloud.RoundTripper().RoundTrip(r)
	})
	_, err := w.copy(t, object)
	if awserr.Classify(err) == awserr.Gone || copier.Reason(err) == string(awserr.Gone) || !strings.Contains(fmt.Sprint(err), "NoSuchKey") {
		t.Errorf("got %v, reason %q, want a failure of a class other than gone", err, copier.Reason(err))
	}
}

func TestCopyUnderAnotherKey(t *testing.T) {
	for name, change := range map[string]func(h http.Header){
		"another key": func(h http.Header) {
			h.Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", "arn:aws:kms:us-west-2:1:key/x")
		},
		"no key": func(h http.Header) { h.Del("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id") },
	} {
		for _, size := range []int64{1, 6 << 20} {
			t.Run(fmt.Sprintf("%s, %d bytes", name, size), func(t *testing.T) {
				w := newWorld(t)
				w.options.MultipartAbove = 5 << 20
				object := w.put("k", awsfake.SyntheticBody(size, 1), awsfake.PutOptions{})
				w.wire.change = func(res *http.Response) { change(res.Header) }
				result, err := w.copy(t, object)
				if !errors.Is(err, copier.ErrWrongKey) || copier.Reason(err) != "wrong_key" {
					t.Errorf("got %v, reason %q, want wrong_key", err, copier.Reason(err))
				}
				if !reflect.DeepEqual(result, copier.Result{}) {
					t.Errorf("got the result %+v with the error", result)
				}
			})
		}
	}
}

// TestCopyUnderAKeyWithoutAnARN checks which KMS keys in responses are accepted, because
// S3-compatible services can identify keys by bare names.
func TestCopyUnderAKeyWithoutAnARN(t *testing.T) {
	for _, tt := range []struct {
		configured, answered string
		ok                   bool
	}{
		{"my-key", "my-key", true},
		{"my-key", "arn:aws:kms:my-key", true},
		{"my-key", "arn:aws:kms:us-west-2:222222222222:key/my-key", true},
		{"my-key", "not-my-key", false},
		{"my-key", "", false},
		{"arn:aws:kms:us-west-2:222222222222:key/a", "arn:aws:kms:us-west-2:222222222222:key/b", false},
		{"arn:aws:kms:us-west-2:222222222222:key/a", "a", false},
	} {
		w := newWorld(t)
		object := w.putText("k", "x")
		w.options.KeyARN = tt.configured
		w.wire.change = func(res *http.Response) {
			res.StatusCode = http.StatusOK
			res.Header.Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", tt.answered)
			replaceBody(res, `<CopyObjectResult><ETag>"e"</ETag></CopyObjectResult>`)
		}
		if _, err := w.copy(t, object); (err == nil) != tt.ok {
			t.Errorf("configured %q, answered %q: got %v, want accepted: %v", tt.configured, tt.answered, err, tt.ok)
		}
	}
}

// TestCopyWithoutAProof checks that a copy fails if a successful response does not prove that the
// copy was made.
func TestCopyWithoutAProof(t *testing.T) {
	for name, body := range map[string]string{
		"an empty answer":   "",
		"an error in a 200": `<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>`,
		"half an answer":    `<CopyObjectResult><ETag>"e"`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			object := w.putText("k", "x")
			w.wire.change = func(res *http.Response) { replaceBody(res, body) }
			result, err := w.copy(t, object)
			if err == nil {
				t.Errorf("got %+v, want an error", result)
			}
		})
	}
}

func TestCopyWithoutAnETagIsNotPinned(t *testing.T) {
	w := newWorld(t)
	object := w.putText("k", "x")
	object.ETag = ""
	if result, err := w.copy(t, object); err == nil || len(w.cloud.Requests()) != 0 {
		t.Errorf("got %+v, %v after %v, want an error and no request", result, err, w.cloud.Requests())
	}
}

func TestCopyFailureNamesItsReason(t *testing.T) {
	for _, tt := range []struct {
		kind awsfake.FaultKind
		want string
	}{
		{awsfake.Throttle, "throttled"},
		{awsfake.ThrottleKMS, "throttled_kms"},
		{awsfake.AccessDenied, "denied"},
		{awsfake.ExpiredToken, "expired"},
		{awsfake.InternalError, "transient"},
		{awsfake.ErrorIn200, "transient"},
		{awsfake.Reset, "transient"},
		{awsfake.CutBody, "transient"},
		{awsfake.LoseAnswer, "transient"},
		{awsfake.Conflict, "conflict"},
	} {
		w := newWorld(t)
		object := w.putText("k", "x")
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Kind: tt.kind})
		_, err := w.copy(t, object)
		if got := copier.Reason(err); err == nil || got != tt.want {
			t.Errorf("fault %v: got reason %q (%v), want %q", tt.kind, got, err, tt.want)
		}
	}
}

func TestCopyOfAnArchivedObject(t *testing.T) {
	w := newWorld(t)
	object := w.put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{StorageClass: "GLACIER"})
	if _, err := w.copy(t, object); copier.Reason(err) != string(awserr.Archived) {
		t.Errorf("got %v, reason %q, want %q", err, copier.Reason(err), awserr.Archived)
	}
}

func TestCopyFromOrToAnotherOwnerIsRefused(t *testing.T) {
	for name, change := range map[string]func(*copier.Options){
		"source":      func(o *copier.Options) { o.SourcePlace.Account = "333333333333" },
		"destination": func(o *copier.Options) { o.DestinationPlace.Account = "333333333333" },
	} {
		w := newWorld(t)
		object := w.putText("k", "x")
		change(&w.options)
		if _, err := w.copy(t, object); awserr.Classify(err) != awserr.Denied {
			t.Errorf("%s: got %v, want class %q", name, err, awserr.Denied)
		}
	}
}

func TestCopyEndsWhenCanceled(t *testing.T) {
	w := newWorld(t)
	object := w.putText("k", "x")
	ctx, cancel := context.WithCancel(t.Context())
	w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Kind: awsfake.Timeout, Do: cancel})
	if _, _, err := copier.New(w.options).Copy(ctx, object, copier.Target{}, nil); awserr.Classify(err) != awserr.Canceled {
		t.Errorf("got %v, want class %q", err, awserr.Canceled)
	}
}

// TestCopyTimesOut checks that a copy over a silent connection times out.
func TestCopyTimesOut(t *testing.T) {
	for _, operation := range []string{"CopyObject", "HeadObject", "GetObjectTagging", "CreateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload"} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			object := w.putText("k", "x")
			if operation != "CopyObject" {
				w.options.MultipartAbove = 5 << 20
				object = w.put("k", awsfake.SyntheticBody(6<<20, 1), awsfake.PutOptions{})
			}
			w.cloud.Inject(awsfake.Fault{Operation: operation, Kind: awsfake.Timeout})
			start := time.Now()
			_, err := w.copy(t, object)
			if got := copier.Reason(err); got != string(awserr.Transient) {
				t.Errorf("%s: got reason %q (%v), want %q", operation, got, err, awserr.Transient)
			}
			if waited := time.Since(start); waited > time.Hour {
				t.Errorf("%s: waited %s for a response", operation, waited)
			}
			if n := w.destination.Uploads(); n != 0 {
				t.Errorf("%s: got %d unfinished uploads, want none", operation, n)
			}
		})
	}
}
