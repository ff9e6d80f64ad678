package throttle_test

import (
	"context"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/aws/smithy-go/middleware"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/throttle"
)

// patient returns the world's client with bounded attempts and a meter.
func (w *world) patient(meter *throttle.Meter) *s3.Client {
	o := w.s3.Options()
	o.APIOptions = append([]func(*middleware.Stack) error{throttle.Patience}, meter.Attach)
	return s3.New(o)
}

// TestSilenceIsATimeout checks that attempts without a response time out and are retried.
func TestSilenceIsATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &throttle.Meter{})
		for _, tt := range []struct {
			operation string
			patience  time.Duration
			call      func(*s3.Client) error
		}{
			{"ListObjectsV2", time.Minute, func(c *s3.Client) error {
				_, err := c.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("data")})
				return err
			}},
			{"CopyObject", 10 * time.Minute, func(c *s3.Client) error {
				_, err := c.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String("data"), Key: aws.String("copy"), CopySource: aws.String("data/k")})
				return err
			}},
		} {
			var seen attempts
			client := w.patient(&throttle.Meter{Observe: seen.observe})
			w.cloud.Inject(awsfake.Fault{Operation: tt.operation, Times: 2, Kind: awsfake.Timeout})
			start := time.Now()
			err := tt.call(client)
			if took := time.Since(start); err != nil || took < 2*tt.patience || took > 2*tt.patience+time.Minute {
				t.Errorf("%s: got %v after %s, want success after twice %s and two waits", tt.operation, err, took, tt.patience)
			}
			if want := []awserr.Class{awserr.Transient, awserr.Transient, ""}; !slices.Equal(seen.classes(), want) {
				t.Errorf("%s: got classes %q, want %q", tt.operation, seen.classes(), want)
			}
		}
	})
}

// TestPatienceEndsWithTheAnswer checks that a body can still be read long after the time limit for
// the response.
func TestPatienceEndsWithTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &throttle.Meter{})
		out, err := w.patient(&throttle.Meter{}).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("data"), Key: aws.String("k")})
		if err != nil {
			t.Fatal(err)
		}
		w.bucket.Put("noted", awsfake.BytesBody(nil), awsfake.PutOptions{Annotations: map[string]string{"note": "y"}})
		note, err := w.patient(&throttle.Meter{}).GetObjectAnnotation(t.Context(), &s3.GetObjectAnnotationInput{
			Bucket: aws.String("data"), Key: aws.String("noted"), AnnotationName: aws.String("note"),
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		for body, want := range map[io.Reader]string{out.Body: "x", note.AnnotationPayload: "y"} {
			if got, err := io.ReadAll(body); err != nil || string(got) != want {
				t.Errorf("got %q, %v an hour later, want the body %q", got, err, want)
			}
		}
	})
}

// TestCanceledIsNotSilent checks that a call that its caller cancels is not reported as a timeout.
func TestCanceledIsNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &throttle.Meter{})
		w.cloud.Inject(awsfake.Fault{Kind: awsfake.Timeout})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := w.patient(&throttle.Meter{}).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("data")})
		if class := awserr.Classify(err); class != awserr.Canceled {
			t.Errorf("got %v with class %q, want %q", err, class, awserr.Canceled)
		}
	})
}
