// Package s3test holds what tests of state on S3 share: a bucket in memory, transports that record
// requests or break one of them, and bubbles in which time passes at once.
//
// A State is the bucket of one test; a Harming is a transport that breaks one request in a way that
// is named.
package s3test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"syncd/internal/admit"
	"syncd/internal/awsfake"
	s3store "syncd/internal/checkpoint/store/s3"
	"syncd/internal/transfer"
)

// Where the state is.
const (
	Bucket  = "consumer-state"
	Account = "222222222222"
	Prefix  = "syncd/"
	Region  = "us-west-2"
)

// State is a bucket for ledgers, in memory.
type State struct {
	Cloud  *awsfake.Cloud
	user   *awsfake.User
	Bucket *awsfake.Bucket
	Key    *awsfake.Key
}

// New returns an empty bucket.
func New() *State {
	cloud := awsfake.New(awsfake.Options{})
	account := cloud.Account(Account)
	return &State{
		Cloud: cloud, user: account.AdminUser(), Key: account.CreateKey(Region, nil),
		Bucket: account.CreateBucket(Bucket, Region, awsfake.BucketOptions{}),
	}
}

// Client reaches the bucket through transport, or without one directly.
func (s *State) Client(transport http.RoundTripper, attempts int) *s3.Client {
	if transport == nil {
		transport = s.Cloud.RoundTripper()
	}
	return s3.New(s3.Options{
		Region: Region, UsePathStyle: true, BaseEndpoint: aws.String("http://aws.invalid"), RetryMaxAttempts: attempts,
		Credentials: credentials.NewStaticCredentialsProvider(s.user.AccessKeyID, s.user.SecretAccessKey, ""),
		HTTPClient:  &http.Client{Transport: transport}, APIOptions: []func(*middleware.Stack) error{admit.New().Attach},
		// What configuration files load.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	})
}

// Options are those of a store in the bucket.
func (s *State) Options() s3store.Options {
	return s3store.Options{Place: transfer.Place{Bucket: Bucket, Prefix: Prefix, Account: Account}, LeaseFor: time.Minute}
}

// Store is a store that sends each request once.
func (s *State) Store(transport http.RoundTripper) *s3store.Store {
	return s3store.New(s.Client(transport, 1), s.Options())
}

// LockObject reads the lock of that name.
func (s *State) LockObject(tb testing.TB, name string) string {
	tb.Helper()
	data, err := s.Bucket.Read(Prefix + name + "/lock")
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

// RoundTrip is a transport that is one function.
type RoundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f RoundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// operation names a request: its method, the record, and what it does to an upload.
func operation(r *http.Request) string {
	name := strings.TrimPrefix(r.URL.Path, "/"+Bucket+"/"+Prefix)
	query := r.URL.Query()
	switch {
	case query.Has("list-type"):
		return "list " + query.Get("prefix")
	case query.Has("uploads"):
		return "begin " + name
	case query.Has("partNumber"):
		return "part " + name
	case query.Has("uploadId") && r.Method == http.MethodPost:
		return "complete " + name
	case query.Has("uploadId"):
		return "abort " + name
	default:
		return strings.ToLower(r.Method) + " " + name
	}
}

// Recorder notes every request.
type Recorder struct {
	Next http.RoundTripper // that sends them
	mu   sync.Mutex
	Seen []string // what they were, as operation names them
}

// RoundTrip notes a request and sends it.
func (c *Recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.Seen = append(c.Seen, operation(r))
	c.mu.Unlock()
	return c.Next.RoundTrip(r)
}

// Count returns how many requests begin so.
func (c *Recorder) Count(prefix string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.Seen {
		if strings.HasPrefix(s, prefix) {
			n++
		}
	}
	return n
}

// Stored is how many bytes the bucket has.
func (s *State) Stored(t *testing.T) (sum int64) {
	t.Helper()
	pages := s3.NewListObjectsV2Paginator(s.Client(nil, 1), &s3.ListObjectsV2Input{Bucket: aws.String(Bucket)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range page.Contents {
			sum += aws.ToInt64(object.Size)
		}
	}
	return sum
}
