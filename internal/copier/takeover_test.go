package copier_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awsfake"
	"syncd/internal/copier"
)

// TestHeadOfAnExpiredSession checks that an object is copied if the session expires at a HEAD
// request to the source. The response to HEAD does not show the cause; the next request renews the
// session.
func TestHeadOfAnExpiredSession(t *testing.T) {
	w := newParted(t)
	w.client = s3.New(w.client.Options(), func(o *s3.Options) {
		o.RetryMaxAttempts = 3
		// In production creds.renewingRetryer retries this error, after it has dropped the session.
		o.Retryer = retry.AddWithErrorCodes(retry.NewStandard(), "ExpiredToken")
	})
	w.options.Source, w.options.Destination = w.client, w.client
	object := w.put("k", awsfake.SyntheticBody(17*mib, 1), awsfake.PutOptions{})
	w.cloud.Inject(awsfake.Fault{Operation: "HeadObject", Kind: awsfake.ExpiredToken, Times: 1})
	w.cloud.Inject(awsfake.Fault{Operation: "GetObject", Kind: awsfake.ExpiredToken, Times: 1})
	if _, err := w.copy(t, object); err != nil {
		t.Errorf("got %v (reason %s), want the object copied with the renewed session", err, copier.Reason(err))
	}
}

// TestLateTagsOfAResumedUpload refuses the tags at the creation of an upload, and kills the process
// before it sets them. It checks that the resumed copy has the tags.
func TestLateTagsOfAResumedUpload(t *testing.T) {
	w := newParted(t)
	w.wire.next = refuser{w.wire.next}
	object := w.put("k", awsfake.SyntheticBody(17*mib, 1), awsfake.PutOptions{Tags: map[string]string{"owner": "alice"}})
	r := &uploadRecord{}
	remove := w.cloud.Inject(awsfake.Fault{Operation: "UploadPartCopy", Kind: awsfake.ExpiredToken, Skip: 1})
	if _, err := w.copyWith(t, object, r); err == nil || !r.open {
		t.Fatalf("got %v, open %v", err, r.open)
	}
	remove()
	if _, err := w.copyWith(t, object, r); err != nil {
		t.Fatal(err)
	}
	copied, _ := w.destination.Object("k")
	if copied.Tags["owner"] != "alice" {
		t.Errorf("got tags %v and success, want those of the source", copied.Tags)
	}
}

// TestSettingsOfAResumedUpload checks that the copy has the tags of its source if the upload was
// begun with other settings.
func TestSettingsOfAResumedUpload(t *testing.T) {
	w := newParted(t)
	w.options.OmitTags = true
	object := w.put("k", awsfake.SyntheticBody(17*mib, 1), awsfake.PutOptions{Tags: map[string]string{"owner": "alice"}})
	r := &uploadRecord{}
	remove := w.cloud.Inject(awsfake.Fault{Operation: "UploadPartCopy", Kind: awsfake.ExpiredToken, Skip: 1})
	if _, err := w.copyWith(t, object, r); err == nil || !r.open {
		t.Fatalf("got %v, open %v", err, r.open)
	}
	remove()
	w.options.OmitTags = false
	if _, err := w.copyWith(t, object, r); err != nil {
		t.Fatal(err)
	}
	copied, _ := w.destination.Object("k")
	if copied.Tags["owner"] != "alice" {
		t.Errorf("got tags %v and success, want those of the source", copied.Tags)
	}
}

// TestPartOverwrittenByADeadProcess checks that a copy succeeds although a late request of a dead
// process overwrites one of its parts.
func TestPartOverwrittenByADeadProcess(t *testing.T) {
	w := newParted(t)
	object := w.put("k", awsfake.SyntheticBody(17*mib, 1), awsfake.PutOptions{})
	r := &uploadRecord{}
	w.cloud.Inject(awsfake.Fault{Operation: "CompleteMultipartUpload", Times: 1, Do: func() {
		u, _ := r.Upload()
		_, err := w.client.UploadPartCopy(t.Context(), &s3.UploadPartCopyInput{
			Bucket: aws.String("consumer-copy"), Key: aws.String("k"), UploadId: &u.ID, PartNumber: aws.Int32(1),
			CopySource: aws.String("owner-data/k"), CopySourceIfMatch: &object.ETag, CopySourceRange: aws.String("bytes=0-5242879"),
		})
		t.Log("zombie part:", err)
	}})
	_, err := w.copyWith(t, object, r)
	if err != nil {
		t.Errorf("got %v, reason %s", err, copier.Reason(err))
	}
}

type refuser struct{ next http.RoundTripper }

func (r refuser) RoundTrip(q *http.Request) (*http.Response, error) {
	if q.Method == "POST" && q.URL.Query().Has("uploads") && q.Header.Get("X-Amz-Tagging") != "" {
		body := `<Error><Code>InvalidTag</Code><Message>no</Message></Error>`
		return &http.Response{StatusCode: 400, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: q}, nil
	}
	return r.next.RoundTrip(q)
}

// TestHeadOfACopyInAnExpiredSession checks that an existing copy is adopted if the session expires
// at a HEAD request to the destination.
func TestHeadOfACopyInAnExpiredSession(t *testing.T) {
	w := newWorld(t)
	object := w.put("k", awsfake.BytesBody([]byte("content")), awsfake.PutOptions{})
	if _, err := w.copy(t, object); err != nil {
		t.Fatal(err)
	}
	destination := s3.New(w.client.Options(), func(o *s3.Options) {
		o.RetryMaxAttempts = 3
		// In production creds.renewingRetryer retries this error, after it has dropped the session.
		o.Retryer = retry.AddWithErrorCodes(retry.NewStandard(), "ExpiredToken")
	})
	w.options.Destination = destination
	w.cloud.Inject(awsfake.Fault{Operation: "HeadObject", Bucket: "consumer-copy", Kind: awsfake.ExpiredToken, Times: 1})
	w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Bucket: "consumer-copy", Kind: awsfake.ExpiredToken, Times: 1})
	if result, err := w.copy(t, object); err != nil || !result.Adopted {
		t.Errorf("got adopted %v, %v (reason %s), want the copy adopted with the renewed session", result.Adopted, err, copier.Reason(err))
	}
}
