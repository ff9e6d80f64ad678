package store_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

// bubbleWorld returns a world without a listener, for synctest bubbles.
func bubbleWorld(tb testing.TB) *awsfaketest.World {
	tb.Helper()
	w := awsfaketest.New(tb, awsfake.Options{})
	w.Endpoint, w.Client = "http://127.0.0.1", &http.Client{Transport: w.Cloud.RoundTripper()}
	return w
}

// TestRates checks how many requests a bucket serves in ten seconds if it receives more than its
// rates allow.
func TestRates(t *testing.T) {
	for _, tt := range []struct {
		name  string
		rates awsfake.Rates
		send  func(context.Context, *s3.Client, string) error
		keys  []string // every tenth of a second, the test sends one request for each key
		want  int      // requests served in ten seconds
	}{
		{"reads", awsfake.Rates{Reads: 3}, head, []string{"a/1"}, 30},
		{"writes do not count as reads", awsfake.Rates{Writes: 3}, head, []string{"a/1"}, 100},
		{"writes", awsfake.Rates{Writes: 3}, remove, []string{"a/1"}, 30},
		{"all keys share one limit", awsfake.Rates{Reads: 3}, head, []string{"a/1", "b/1"}, 30},
		{"each prefix has its own", awsfake.Rates{Reads: 3, Depth: 1}, head, []string{"a/1", "b/1"}, 60},
		{"deeper keys share the limit", awsfake.Rates{Reads: 3, Depth: 1}, head, []string{"a/x/1", "a/y/1"}, 30},
		{"deeper keys with a greater depth", awsfake.Rates{Reads: 3, Depth: 2}, head, []string{"a/x/1", "a/y/1"}, 60},
		{"keys above the depth share a limit", awsfake.Rates{Reads: 3, Depth: 2}, head, []string{"a/1", "a/2"}, 30},
		{"below the limit", awsfake.Rates{Reads: 20}, head, []string{"a/1"}, 100},
		{"no limit", awsfake.Rates{}, head, []string{"a/1"}, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := bubbleWorld(t)
			client := awsfaketest.S3Client(w.UserConfig(w.Base))
			for _, key := range tt.keys {
				w.Destination.Put(key, awsfake.BytesBody(nil), awsfake.PutOptions{})
			}
			w.Destination.SetRates(tt.rates)
			served := 0
			synctest.Test(t, func(t *testing.T) {
				for range 100 {
					for _, key := range tt.keys {
						if tt.send(t.Context(), client, key) == nil {
							served++
						}
					}
					<-time.After(100 * time.Millisecond)
				}
			})
			if served < tt.want || served > tt.want+len(tt.keys) {
				t.Errorf("%d served, want %d", served, tt.want)
			}
		})
	}
}

func head(ctx context.Context, client *s3.Client, key string) error {
	_, err := client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("consumer-copy"), Key: &key})
	return err
}

func remove(ctx context.Context, client *s3.Client, key string) error {
	_, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: aws.String("consumer-copy"), Key: &key})
	return err
}

// TestIdleBurst checks that after an idle hour the burst still has only one request more than the
// rate allows in a tenth of a second.
func TestIdleBurst(t *testing.T) {
	w := bubbleWorld(t)
	w.Destination.Put("k", awsfake.BytesBody(nil), awsfake.PutOptions{})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	w.Destination.SetRates(awsfake.Rates{Reads: 40})
	synctest.Test(t, func(t *testing.T) {
		for range 2 {
			served := 0
			for range 50 {
				if head(t.Context(), client, "k") == nil {
					served++
				}
			}
			if served != 5 {
				t.Errorf("%d served in a burst, want 5", served)
			}
			<-time.After(time.Hour)
		}
	})
}

// TestThrottling checks the error for requests above each limit, and that throttled requests are
// counted.
func TestThrottling(t *testing.T) {
	const slow, slowKMS = "Please reduce your request rate.", "Please reduce your request rate for operations involving AWS KMS."
	copying := func(t *testing.T, _ *awsfaketest.World, c aws.Config) error {
		t.Helper()
		_, err := awsfaketest.S3Client(c).CopyObject(t.Context(), awsfaketest.CopyKey("key"))
		return err
	}
	for _, tt := range []struct {
		name          string
		limit         func(*awsfaketest.World)
		call          func(*testing.T, *awsfaketest.World, aws.Config) error
		code, message string
		counted       awsfake.Requests
	}{
		{"destination", func(w *awsfaketest.World) { w.Destination.SetRates(awsfake.Rates{Writes: 0.001}) }, copying, "SlowDown", slow, awsfake.Requests{"CopyObject": 1}},
		{"source", func(w *awsfaketest.World) { w.Source.SetRates(awsfake.Rates{Reads: 0.001}) }, copying, "SlowDown", slow, awsfake.Requests{"CopyObject": 1}},
		{"source's key", func(w *awsfaketest.World) { w.OwnerKey.SetRate(0.001) }, copying, "SlowDown", slowKMS, awsfake.Requests{"CopyObject": 1}},
		{"destination's key", func(w *awsfaketest.World) { w.ConsumerKey.SetRate(0.001) }, copying, "SlowDown", slowKMS, awsfake.Requests{"CopyObject": 1}},
		{"owner's account does not pay for callers", func(w *awsfaketest.World) { w.Owner.SetKMSRate(0.001) }, copying, "", "", awsfake.Requests{}},
		{"KMS itself", func(w *awsfaketest.World) { w.ConsumerKey.SetRate(0.001) }, func(t *testing.T, w *awsfaketest.World, c aws.Config) error {
			t.Helper()
			_, err := awsfaketest.KMSClient(c).Encrypt(t.Context(), &kms.EncryptInput{KeyId: aws.String(w.ConsumerKey.ARN()), Plaintext: []byte("x")})
			return err
		}, "ThrottlingException", "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.", awsfake.Requests{"Encrypt": 1}},
		{"STS", func(w *awsfaketest.World) { w.Consumer.SetSTSRate(0.001) }, func(t *testing.T, _ *awsfaketest.World, c aws.Config) error {
			t.Helper()
			_, err := sts.NewFromConfig(c).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			return err
		}, "ThrottlingException", "Rate exceeded", awsfake.Requests{"GetCallerIdentity": 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := awsfaketest.New(t, awsfake.Options{})
			w.Source.Put("key", awsfake.BytesBody(nil), awsfake.PutOptions{})
			c := w.Assume(t, nil)
			tt.limit(w)
			if err := tt.call(t, w, c); err != nil {
				t.Fatalf("first request: %v", err)
			}
			err := tt.call(t, w, c)
			if awsfaketest.Code(err) != tt.code || awsfaketest.Message(err) != tt.message {
				t.Errorf("second request: got %q %q, want %q %q", awsfaketest.Code(err), awsfaketest.Message(err), tt.code, tt.message)
			}
			if diff := cmp.Diff(tt.counted, w.Cloud.Throttled()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestAccountKMSRate checks that the two KMS calls of a copy, with two keys, both count against the
// caller's account.
func TestAccountKMSRate(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Source.Put("key", awsfake.BytesBody(nil), awsfake.PutOptions{})
	client := awsfaketest.S3Client(w.Assume(t, nil))
	w.Consumer.SetKMSRate(0.001)
	if _, err := client.CopyObject(t.Context(), awsfaketest.CopyKey("key")); awsfaketest.Code(err) != "SlowDown" {
		t.Errorf("one token for two uses: got %v", err)
	}
	w.Consumer.SetKMSRate(0)
	if _, err := client.CopyObject(t.Context(), awsfaketest.CopyKey("key")); err != nil {
		t.Errorf("no limit: %v", err)
	}
}

func TestThrottledCountsFaultsToo(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Cloud.Inject(awsfake.Fault{Operation: "ListBuckets", Kind: awsfake.Throttle, Times: 1})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	for range 2 {
		_, _ = client.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	}
	if diff := cmp.Diff(awsfake.Requests{"ListBuckets": 1}, w.Cloud.Throttled()); diff != "" {
		t.Error(diff)
	}
	w.Cloud.ResetRequests()
	if got := w.Cloud.Throttled(); len(got) != 0 {
		t.Errorf("after reset: %v", got)
	}
}
