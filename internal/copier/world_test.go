package copier_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/sync/semaphore"

	"syncd/internal/admit"
	"syncd/internal/awsfake"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier"
	"syncd/internal/iam"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

const (
	region   = "us-west-2"
	owner    = "111111111111"
	consumer = "222222222222"
)

// world contains an owner's bucket encrypted with the owner's key, and a consumer's bucket
// encrypted with the consumer's key. The consumer may read the owner's bucket.
type world struct {
	cloud               *awsfake.Cloud
	source, destination *awsfake.Bucket
	key                 *awsfake.Key // the consumer's key
	options             copier.Options
	wire                *wire
	client              *s3.Client // an administrator of the consumer's account
	size                int64      // size of the object to copy, set by ways
	target              copier.Target
	ours                copier.Ours // returned by the last copy
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
		HTTPClient:  &http.Client{Transport: w.wire}, APIOptions: []func(*middleware.Stack) error{admit.New().Attach},
	})
	w.client = client
	w.options = copier.Options{
		Source: client, Destination: client, KeyARN: w.key.ARN(), BucketKey: true, Slots: slots(8),
		SourcePlace: transfer.Place{Bucket: "owner-data", Account: owner}, DestinationPlace: transfer.Place{Bucket: "consumer-copy", Account: consumer},
	}
	return w
}

// gate limits the number of concurrent requests to the weight of its semaphore.
type gate struct{ *semaphore.Weighted }

func slots(n int64) gate { return gate{semaphore.NewWeighted(n)} }

func (g gate) Acquire(ctx context.Context) error { return g.Weighted.Acquire(ctx, 1) }

func (g gate) Release() { g.Weighted.Release(1) }

// idle reports whether a slot is free.
func (g gate) idle() bool {
	free := g.TryAcquire(1)
	if free {
		g.Release()
	}
	return free
}

// put stores an object at the source and returns it as a listing shows it.
func (w *world) put(key string, body awsfake.Body, o awsfake.PutOptions) listing.Object {
	return listed(w.source.Put(key, body, o))
}

func (w *world) putText(key, text string) listing.Object {
	return w.put(key, awsfake.BytesBody([]byte(text)), awsfake.PutOptions{})
}

func listed(o awsfake.ObjectInfo) listing.Object {
	return listing.Object{
		Key: o.Key, Version: transfer.Version{ETag: `"` + o.ETag + `"`, Size: o.Size, LastModified: o.LastModified}, StorageClass: o.StorageClass,
	}
}

func (w *world) copy(tb testing.TB, object listing.Object) (copier.Result, error) {
	tb.Helper()
	return w.copyWith(tb, object, nil)
}

// copyWith copies an object in a new process that records its upload.
func (w *world) copyWith(tb testing.TB, object listing.Object, uploads copier.Record) (copier.Result, error) {
	tb.Helper()
	result, ours, err := copier.New(w.options).Copy(context.WithoutCancel(tb.Context()), object, w.target, uploads)
	w.ours = ours
	return result, err
}

// modes yields the two modes of copying. Each mode has its own world, which copies objects above 5
// MiB, or 8 MiB when relayed, in parts.
func modes(tb testing.TB) iter.Seq2[string, *world] {
	tb.Helper()
	return func(yield func(string, *world) bool) {
		relay := newParted(tb)
		relay.relaying(64 * mib)
		_ = yield("server-side", newParted(tb)) && yield("relay", relay)
	}
}

// ways yields all ways of copying: both modes, with an object size for one piece and for parts.
func ways(tb testing.TB) iter.Seq2[string, *world] {
	tb.Helper()
	return func(yield func(string, *world) bool) {
		for _, size := range []int64{10, 17*mib + 3} {
			for mode, w := range modes(tb) {
				w.size = size
				if !yield(fmt.Sprintf("%s of %d bytes", mode, size), w) {
					return
				}
			}
		}
	}
}

// partRequest returns the name of the request that makes a part.
func (w *world) partRequest() string {
	if w.options.Relay {
		return "UploadPart"
	}
	return "UploadPartCopy"
}

// uploadRecord records the upload of one object, as the ledger does.
type uploadRecord struct {
	mu     sync.Mutex
	upload record.Upload
	open   bool
	began  []record.Upload
	fail   error
	full   bool // UploadKept returns false
	// writing decides whether the copy may write; if it is nil, the copy may always write.
	writing func(context.Context) (context.Context, context.CancelFunc, error)
}

func (r *uploadRecord) Upload() (record.Upload, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.upload, r.open
}

func (r *uploadRecord) UploadBegan(_ context.Context, u record.Upload) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail != nil {
		return r.fail
	}
	r.upload, r.open, r.began = u, true, append(r.began, u)
	return nil
}

func (r *uploadRecord) Writing(ctx context.Context) (context.Context, context.CancelFunc, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.writing != nil {
		return r.writing(ctx)
	}
	return ctx, func() {}, nil
}

func (r *uploadRecord) UploadKept() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open && !r.full
}

func (r *uploadRecord) UploadEnded() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.upload, r.open = record.Upload{}, false
}

// mustCopy copies an object and returns the copy at the destination.
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

// wire observes every request and the number of requests in flight, and can change the responses.
type wire struct {
	next   http.RoundTripper
	before func(*http.Request) // called for one request at a time
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
	if w.before != nil {
		w.before(r)
	}
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

// replaceBody replaces the body of a response.
func replaceBody(res *http.Response, text string) {
	_ = res.Body.Close()
	res.Body, res.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
}

// requests returns the recorded requests whose method and URL contain the given texts.
func (w *wire) requests(method, url string) []*http.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(w.seen), func(r *http.Request) bool {
		return r.Method != method || !strings.Contains(r.URL.String(), url)
	})
}
