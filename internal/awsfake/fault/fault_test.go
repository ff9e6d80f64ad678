package fault_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

func TestFaultKinds(t *testing.T) {
	tests := []struct {
		name   string
		kind   awsfake.FaultKind
		want   string
		copied bool // whether the copy exists in spite of the fault
	}{
		{"None", awsfake.None, "", true},
		{"Throttle", awsfake.Throttle, "SlowDown", false},
		{"ThrottleKMS", awsfake.ThrottleKMS, "SlowDown", false},
		{"InternalError", awsfake.InternalError, "InternalError", false},
		{"Unavailable", awsfake.Unavailable, "ServiceUnavailable", false},
		{"ErrorIn200", awsfake.ErrorIn200, "InternalError", false},
		{"AccessDenied", awsfake.AccessDenied, "AccessDenied", false},
		{"ExpiredToken", awsfake.ExpiredToken, "ExpiredToken", false},
		{"PreconditionFailed", awsfake.PreconditionFailed, "PreconditionFailed", false},
		{"Conflict", awsfake.Conflict, "ConditionalRequestConflict", false},
		{"Reset", awsfake.Reset, "connection", false},
		{"LoseAnswer", awsfake.LoseAnswer, "connection", true},
		{"CutBody", awsfake.CutBody, "connection", true},
		{"UnknownLength", awsfake.UnknownLength, "", true},
	}
	for _, tt := range tests {
		for _, entry := range []string{"listener", "memory"} {
			t.Run(tt.name+" "+entry, func(t *testing.T) {
				w := awsfaketest.New(t, awsfake.Options{})
				w.Source.Put("key", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
				c := w.Assume(t, nil)
				if entry == "memory" {
					c.HTTPClient = &http.Client{Transport: w.Cloud.RoundTripper()}
				}
				remove := w.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Bucket: "consumer-copy", Key: "key", Kind: tt.kind})
				_, err := awsfaketest.S3Client(c).CopyObject(t.Context(), awsfaketest.CopyKey("key"))
				got := awsfaketest.Code(err)
				if tt.want == "connection" && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)) {
					got = "connection"
				}
				if got != tt.want {
					t.Errorf("got %q (%v), want %q", got, err, tt.want)
				}
				if _, copied := w.Destination.Object("key"); copied != tt.copied {
					t.Errorf("copied: %v, want %v", copied, tt.copied)
				}
				remove()
				if _, err := awsfaketest.S3Client(c).CopyObject(t.Context(), awsfaketest.CopyKey("key")); err != nil {
					t.Errorf("after the fault was removed: %v", err)
				}
			})
		}
	}
}

func TestFaultMatching(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{Seed: 1})
	w.Source.Put("a", awsfake.BytesBody(nil), awsfake.PutOptions{})
	w.Source.Put("b", awsfake.BytesBody(nil), awsfake.PutOptions{})
	client := awsfaketest.S3Client(w.Assume(t, nil))
	tests := []struct {
		name  string
		fault awsfake.Fault
		want  []bool // for HEADs of a, b, a, b, a, b: whether each fails
	}{
		{"any", awsfake.Fault{}, []bool{true, true, true, true, true, true}},
		{"key", awsfake.Fault{Key: "a"}, []bool{true, false, true, false, true, false}},
		{"operation", awsfake.Fault{Operation: "GetObject"}, make([]bool, 6)},
		{"bucket", awsfake.Fault{Bucket: "consumer-copy"}, make([]bool, 6)},
		{"skip and times", awsfake.Fault{Skip: 2, Times: 3}, []bool{false, false, true, true, true, false}},
		{"skip counts matches", awsfake.Fault{Key: "b", Skip: 1, Times: 1}, []bool{false, false, false, true, false, false}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.fault.Kind = awsfake.Unavailable
			defer w.Cloud.Inject(tt.fault)()
			var got []bool
			for i := range 6 {
				_, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("owner-data"), Key: aws.String("ab"[i%2 : i%2+1])})
				got = append(got, err != nil)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("probability", func(t *testing.T) {
		defer w.Cloud.Inject(awsfake.Fault{Kind: awsfake.Unavailable, Probability: 0.3})()
		failed := 0
		for range 500 {
			if _, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("owner-data"), Key: aws.String("a")}); err != nil {
				failed++
			}
		}
		if failed < 100 || failed > 200 {
			t.Errorf("%d of 500 failed, want about 150", failed)
		}
	})
}

// TestSourceChangesBetweenParts checks that the Do of a fault can change the source between two
// parts.
func TestSourceChangesBetweenParts(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	listed := w.Source.Put("key", awsfake.BytesBody([]byte("old")), awsfake.PutOptions{})
	w.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Times: 1, Do: func() {
		w.Source.Put("key", awsfake.BytesBody([]byte("new")), awsfake.PutOptions{})
	}})
	in := awsfaketest.CopyKey("key")
	in.CopySourceIfMatch = &listed.ETag
	_, err := awsfaketest.S3Client(w.Assume(t, nil)).CopyObject(t.Context(), in)
	if got := awsfaketest.Code(err); got != "PreconditionFailed" {
		t.Errorf("got %q, want PreconditionFailed", got)
	}
}

func TestCutBodyOfAnObject(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Destination.Put("k", awsfake.SyntheticBody(1<<20, 1), awsfake.PutOptions{})
	w.Cloud.Inject(awsfake.Fault{Operation: "GetObject", Kind: awsfake.CutBody, Times: 1})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	out, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, out.Body)
	if err == nil || n > 1<<19 {
		t.Errorf("read %d bytes, %v", n, err)
	}
}

// TestUnknownLength checks that the whole body arrives without a Content-Length.
func TestUnknownLength(t *testing.T) {
	for _, entry := range []string{"listener", "memory"} {
		w := awsfaketest.New(t, awsfake.Options{})
		w.Destination.Put("k", awsfake.SyntheticBody(awsfaketest.Mebi, 1), awsfake.PutOptions{})
		w.Cloud.Inject(awsfake.Fault{Operation: "GetObject", Kind: awsfake.UnknownLength})
		c := w.UserConfig(w.Base)
		if entry == "memory" {
			c.HTTPClient = &http.Client{Transport: w.Cloud.RoundTripper()}
		}
		out, err := awsfaketest.S3Client(c).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("consumer-copy"), Key: aws.String("k")})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(awsfaketest.BodyOf(t, out.Body)); out.ContentLength != nil || got != awsfaketest.Mebi {
			t.Errorf("%s: length %v, got %d bytes", entry, out.ContentLength, got)
		}
	}
}

func TestFaultsOfSTS(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client := sts.NewFromConfig(w.UserConfig(w.Base))
	for kind, want := range map[awsfake.FaultKind]string{
		awsfake.Throttle: "ThrottlingException", awsfake.AccessDenied: "AccessDenied", awsfake.ExpiredToken: "ExpiredToken",
	} {
		remove := w.Cloud.Inject(awsfake.Fault{Operation: "AssumeRole", Kind: kind})
		_, err := client.AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &w.Role.ARN, RoleSessionName: aws.String("test")})
		if got := awsfaketest.Code(err); got != want {
			t.Errorf("%v: got %q, want %q", kind, got, want)
		}
		remove()
	}
}

// TestBubble checks that latency and hangs of the in-memory entry point take no real time in a
// synctest bubble.
func TestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := awsfake.New(awsfake.Options{})
		account := cloud.Account("111111111111")
		bucket := account.CreateBucket("owner-data", awsfaketest.Region, awsfake.BucketOptions{})
		bucket.Put("k", awsfake.SyntheticBody(1<<20, 1), awsfake.PutOptions{})
		user := account.AdminUser()
		w := &awsfaketest.World{Cloud: cloud, Endpoint: "http://127.0.0.1", Client: &http.Client{Transport: cloud.RoundTripper()}}
		client := awsfaketest.S3Client(w.UserConfig(user))
		cloud.SetLatency(time.Minute)
		began := time.Now()
		out, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("owner-data"), Key: aws.String("k")})
		if err != nil {
			t.Fatal(err)
		}
		if got := len(awsfaketest.BodyOf(t, out.Body)); got != 1<<20 || time.Since(began) != time.Minute {
			t.Errorf("got %d bytes after %v", got, time.Since(began))
		}
		cloud.Inject(awsfake.Fault{Kind: awsfake.Timeout})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err = client.ListBuckets(ctx, &s3.ListBucketsInput{})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) < time.Hour {
			t.Errorf("got %v after %v", err, time.Since(began))
		}
	})
}

func TestRequestsAreCounted(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Source.Put("key", awsfake.BytesBody(nil), awsfake.PutOptions{})
	client := awsfaketest.S3Client(w.Assume(t, nil))
	for range 2 {
		if _, err := client.CopyObject(t.Context(), awsfaketest.CopyKey("key")); err != nil {
			t.Fatal(err)
		}
	}
	_, _ = client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("owner-data"), Key: aws.String("absent")})
	if diff := cmp.Diff(awsfake.Requests{"AssumeRole": 1, "CopyObject": 2, "HeadObject": 1}, w.Cloud.Requests()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(awsfake.Requests{"CopyObject": 2}, w.Cloud.BucketRequests("consumer-copy")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(awsfake.Requests{"Decrypt": 2}, w.Cloud.KeyRequests(w.OwnerKey.ARN())); diff != "" {
		t.Error(diff)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://x/-/requests", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := awsfaketest.RoundTrip(t, w, r).Body, `{"AssumeRole":1,"CopyObject":2,"HeadObject":1}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	w.Cloud.ResetRequests()
	if got := w.Cloud.Requests(); len(got) != 0 {
		t.Errorf("after reset: %v", got)
	}
}
