package throttle_test

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
	gocmp "github.com/google/go-cmp/cmp"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/throttle"
)

const region = "us-west-2"

// world is one bucket and the clients of a user with all permissions, each with the meter attached.
type world struct {
	cloud  *awsfake.Cloud
	bucket *awsfake.Bucket
	s3     *s3.Client
	sts    *sts.Client
}

func newWorld(tb testing.TB, meter *throttle.Meter, guards ...*throttle.Guard) *world {
	tb.Helper()
	w := &world{cloud: awsfake.New(awsfake.Options{})}
	account := w.cloud.Account("111111111111")
	user := account.AdminUser()
	w.bucket = account.CreateBucket("data", region, awsfake.BucketOptions{})
	w.bucket.Put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	c := aws.Config{
		Region: region, BaseEndpoint: aws.String("http://aws.invalid"), HTTPClient: &http.Client{Transport: w.cloud.RoundTripper()},
		Credentials: credentials.NewStaticCredentialsProvider(user.AccessKeyID, user.SecretAccessKey, ""),
		APIOptions:  []func(*middleware.Stack) error{meter.Attach}, RetryMaxAttempts: 5,
	}
	for _, guard := range guards {
		c.APIOptions = append(c.APIOptions, guard.Attach)
	}
	w.s3, w.sts = s3.NewFromConfig(c, func(o *s3.Options) { o.UsePathStyle = true }), sts.NewFromConfig(c)
	return w
}

func (w *world) list(ctx context.Context) error {
	_, err := w.s3.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("data")})
	return err
}

func (w *world) head(ctx context.Context, key string) error {
	_, err := w.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("data"), Key: &key})
	return err
}

func (w *world) whoAmI(ctx context.Context) error {
	_, err := w.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	return err
}

// attempts collects what a meter observes.
type attempts struct {
	mu   sync.Mutex
	seen []throttle.Attempt
}

func (a *attempts) observe(seen throttle.Attempt) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen = append(a.seen, seen)
}

func (a *attempts) classes() []awserr.Class {
	var classes []awserr.Class
	for _, seen := range a.seen {
		classes = append(classes, seen.Class)
	}
	return classes
}

func TestMeterCountsEachAttemptOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen attempts
		meter := &throttle.Meter{Observe: seen.observe}
		w := newWorld(t, meter)
		w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Times: 2, Kind: awsfake.Throttle})
		w.cloud.Inject(awsfake.Fault{Operation: "ListObjectsV2", Skip: 2, Times: 1, Kind: awsfake.Reset})
		if err := errors.Join(w.list(t.Context()), w.list(t.Context()), w.whoAmI(t.Context())); err != nil {
			t.Fatal(err)
		}
		want := throttle.Counts{Requests: map[string]int64{"ListObjectsV2": 5, "GetCallerIdentity": 1}, Throttled: 2}
		if diff := gocmp.Diff(want, meter.Counts()); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		if diff := gocmp.Diff(want.Requests, map[string]int64(w.cloud.Requests())); diff != "" {
			t.Errorf("requests that the service saw (-counted +seen):\n%s", diff)
		}
		classes := []awserr.Class{awserr.Throttled, awserr.Throttled, awserr.Transient, "", "", ""}
		if diff := gocmp.Diff(classes, seen.classes()); diff != "" {
			t.Errorf("classes (-want +got):\n%s", diff)
		}
	})
}

func TestMeterSeesTheClass(t *testing.T) {
	for _, tt := range []struct {
		kind      awsfake.FaultKind
		want      awserr.Class
		throttled int64
	}{
		{awsfake.None, "", 0},
		{awsfake.Throttle, awserr.Throttled, 1},
		{awsfake.ThrottleKMS, awserr.ThrottledKMS, 1},
		{awsfake.Unavailable, awserr.Throttled, 1},
		{awsfake.InternalError, awserr.Transient, 0},
		{awsfake.AccessDenied, awserr.Denied, 0},
		{awsfake.ExpiredToken, awserr.Expired, 0},
		{awsfake.Reset, awserr.Transient, 0},
		{awsfake.CutBody, awserr.Transient, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			var seen attempts
			meter := &throttle.Meter{Observe: seen.observe}
			w := newWorld(t, meter)
			w.cloud.Inject(awsfake.Fault{Times: 1, Kind: tt.kind})
			_ = w.list(t.Context()) // the meter saw the result
			if got := seen.classes()[0]; got != tt.want || meter.Counts().Throttled != tt.throttled {
				t.Errorf("fault %v: got class %q, %d throttled, want %q, %d", tt.kind, got, meter.Counts().Throttled, tt.want, tt.throttled)
			}
		})
	}
}

// TestMeterSeesAnErrorInA200 checks that a meter counts a copy that fails with status 200 as an
// error.
func TestMeterSeesAnErrorInA200(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen attempts
		w := newWorld(t, &throttle.Meter{Observe: seen.observe})
		w.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Times: 1, Kind: awsfake.ErrorIn200})
		_, err := w.s3.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: aws.String("data"), Key: aws.String("copy"), CopySource: aws.String("data/k")})
		if want := []awserr.Class{awserr.Transient, ""}; err != nil || !slices.Equal(seen.classes(), want) {
			t.Errorf("got classes %q, %v, want %q", seen.classes(), err, want)
		}
	})
}

func TestMeterSeesResponsesWithoutABody(t *testing.T) {
	var seen attempts
	w := newWorld(t, &throttle.Meter{Observe: seen.observe})
	if err := w.head(t.Context(), "no-such-key"); err == nil {
		t.Error("got no error for an absent key")
	}
	if want := []awserr.Class{awserr.Gone}; !slices.Equal(seen.classes(), want) {
		t.Errorf("got classes %q, want %q", seen.classes(), want)
	}
}

func TestMeterMeasuresTheAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var seen attempts
		w := newWorld(t, &throttle.Meter{Observe: seen.observe})
		w.cloud.SetLatency(3 * time.Second)
		w.cloud.Inject(awsfake.Fault{Times: 1, Kind: awsfake.InternalError})
		if err := w.list(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := throttle.Attempt{Operation: "ListObjectsV2", Duration: 3 * time.Second}
		failed := want
		failed.Class = awserr.Transient
		// The wait before the second attempt counts for neither attempt.
		if diff := gocmp.Diff([]throttle.Attempt{failed, want}, seen.seen); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
	})
}

func TestMeterCountsOnlySentRequests(t *testing.T) {
	meter := &throttle.Meter{}
	w := newWorld(t, meter)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.list(ctx); err == nil {
		t.Error("got no error from a canceled request")
	}
	if _, err := w.s3.HeadObject(t.Context(), &s3.HeadObjectInput{}); err == nil {
		t.Error("got no error from a request without a bucket")
	}
	if got := meter.Counts(); len(got.Requests) != 0 {
		t.Errorf("got %v, want nothing counted", got)
	}
}

func TestMeterIsShared(t *testing.T) {
	var seen attempts
	meter := &throttle.Meter{Observe: seen.observe}
	w := newWorld(t, meter)
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for range 5 {
				if err := cmp.Or(w.list(t.Context()), w.whoAmI(t.Context())); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	want := throttle.Counts{Requests: map[string]int64{"ListObjectsV2": 40, "GetCallerIdentity": 40}}
	if diff := gocmp.Diff(want, meter.Counts()); diff != "" || len(seen.seen) != 80 {
		t.Errorf("%d observed, counts (-want +got):\n%s", len(seen.seen), diff)
	}
}

func TestCountsAreACopy(t *testing.T) {
	meter := &throttle.Meter{}
	w := newWorld(t, meter)
	if got := meter.Counts(); len(got.Requests) != 0 || got.Throttled != 0 {
		t.Errorf("got %v from a new meter, want nothing", got)
	}
	if err := w.list(t.Context()); err != nil {
		t.Fatal(err)
	}
	meter.Counts().Requests["ListObjectsV2"] = 100
	if got := meter.Counts().Requests["ListObjectsV2"]; got != 1 {
		t.Errorf("got %d requests, want 1: Counts returns a copy", got)
	}
}

func TestCountsSince(t *testing.T) {
	early := throttle.Counts{Requests: map[string]int64{"CopyObject": 2, "ListObjectsV2": 1}, Throttled: 3}
	late := throttle.Counts{Requests: map[string]int64{"CopyObject": 5, "ListObjectsV2": 1, "AssumeRole": 1}, Throttled: 7}
	for _, tt := range []struct {
		name           string
		earlier, later throttle.Counts
		want           throttle.Counts
	}{
		{"some", early, late, throttle.Counts{Requests: map[string]int64{"CopyObject": 3, "AssumeRole": 1}, Throttled: 4}},
		{"none", late, late, throttle.Counts{Requests: map[string]int64{}}},
		{"all", throttle.Counts{}, late, late},
		{"nothing yet", throttle.Counts{}, throttle.Counts{}, throttle.Counts{Requests: map[string]int64{}}},
	} {
		if diff := gocmp.Diff(tt.want, tt.later.Since(tt.earlier)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
