package copier_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/semaphore"

	"syncd/internal/awsfake"
	"syncd/internal/copier"
	"syncd/internal/iam"
	"syncd/internal/listing"
)

const (
	region   = "us-west-2"
	owner    = "111111111111"
	consumer = "222222222222"
)

// world is an owner's bucket under the owner's key, and a consumer's under the consumer's, who may read the owner's.
type world struct {
	cloud               *awsfake.Cloud
	source, destination *awsfake.Bucket
	key                 *awsfake.Key // the consumer's
	options             copier.Options
	wire                *wire
}

func newWorld(tb testing.TB) *world {
	tb.Helper()
	cloud := awsfake.New(awsfake.Options{})
	from, to := cloud.Account(owner), cloud.Account(consumer)
	user := to.AdminUser()
	ownerKey := from.CreateKey(region, iam.MustParse(fmt.Sprintf(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":[%q,%q]},"Action":"kms:*","Resource":"*"}]}`, owner, consumer)))
	policy := iam.MustParse(fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},
		"Action":"s3:*","Resource":["arn:aws:s3:::owner-data","arn:aws:s3:::owner-data/*"]}]}`, consumer))
	w := &world{
		cloud: cloud, key: to.CreateKey(region, nil),
		source:      from.CreateBucket("owner-data", region, awsfake.BucketOptions{KeyARN: ownerKey.ARN(), Policy: policy}),
		destination: to.CreateBucket("consumer-copy", region, awsfake.BucketOptions{Versioning: true}),
		wire:        &wire{next: cloud.RoundTripper()},
	}
	client := s3.New(s3.Options{
		Region: region, UsePathStyle: true, BaseEndpoint: aws.String("http://aws.invalid"), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(user.AccessKeyID, user.SecretAccessKey, ""),
		HTTPClient:  &http.Client{Transport: w.wire},
	})
	w.options = copier.Options{
		Source: client, Destination: client, SourceBucket: "owner-data", DestinationBucket: "consumer-copy",
		SourceAccount: owner, DestinationAccount: consumer, KeyARN: w.key.ARN(), BucketKey: true, Slots: semaphore.NewWeighted(8),
	}
	return w
}

// put stores an object at the source and returns it as a listing shows it.
func (w *world) put(key string, body awsfake.Body, o awsfake.PutOptions) listing.Object {
	return listed(w.source.Put(key, body, o))
}

func (w *world) putText(key, text string) listing.Object {
	return w.put(key, awsfake.BytesBody([]byte(text)), awsfake.PutOptions{})
}

func listed(o awsfake.ObjectInfo) listing.Object {
	return listing.Object{Key: o.Key, ETag: `"` + o.ETag + `"`, Size: o.Size, LastModified: o.LastModified, StorageClass: o.StorageClass}
}

func (w *world) copy(tb testing.TB, object listing.Object) (copier.Result, error) {
	tb.Helper()
	return copier.New(w.options).Copy(context.WithoutCancel(tb.Context()), object)
}

// mustCopy copies an object and returns what then lies at the destination.
func (w *world) mustCopy(tb testing.TB, object listing.Object) (copier.Result, awsfake.ObjectInfo) {
	tb.Helper()
	result, err := w.copy(tb, object)
	if err != nil {
		tb.Fatalf("copy %q: %v", object.Key, err)
	}
	copied, ok := w.destination.Object(result.DestinationKey)
	if !ok {
		tb.Fatalf("copy %q: the destination has no %q", object.Key, result.DestinationKey)
	}
	return result, copied
}

// wire sees every request on its way, how many are under way at once, and may change the answers.
type wire struct {
	next   http.RoundTripper
	change func(*http.Response)

	mu              sync.Mutex
	seen            []*http.Request
	underWay, worst int
}

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.seen = append(w.seen, r)
	w.underWay++
	w.worst = max(w.worst, w.underWay)
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.underWay--
	}()
	res, err := w.next.RoundTrip(r)
	if err == nil && w.change != nil {
		w.change(res)
	}
	return res, err
}

// replaceBody puts other text in the place of an answer's body.
func replaceBody(res *http.Response, text string) {
	_ = res.Body.Close()
	res.Body, res.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
}

// requests returns the requests seen whose method and URL hold these texts.
func (w *wire) requests(method, url string) []*http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.seen), func(r *http.Request) bool {
		return r.Method != method || !strings.Contains(r.URL.String(), url)
	})
}
