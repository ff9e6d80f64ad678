// Package s3test provides helpers for tests of state on S3: a bucket in memory, transports that
// record requests or make one of them fail, and synctest bubbles, in which no real time passes.
//
// A State is the bucket of one test; a Harming is a transport that fails one request in a named
// way.
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

// Location of the state.
const (
	Bucket  = "consumer-state"
	Account = "222222222222"
	Prefix  = "syncd/"
	Region  = "us-west-2"
)

// State is a bucket for ledgers that is kept in memory.
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

// Client returns a client for the bucket. The client sends requests through transport, or through
// the bucket's own transport if the parameter is nil.
func (s *State) Client(transport http.RoundTripper, attempts int) *s3.Client {
	if transport == nil {
		transport = s.Cloud.RoundTripper()
	}
	return s3.New(s3.Options{
		Region: Region, UsePathStyle: true, BaseEndpoint: aws.String("http://aws.invalid"), RetryMaxAttempts: attempts,
		Credentials: credentials.NewStaticCredentialsProvider(s.user.AccessKeyID, s.user.SecretAccessKey, ""),
		HTTPClient:  &http.Client{Transport: transport}, APIOptions: []func(*middleware.Stack) error{admit.New().Attach},
		// The defaults of config.LoadDefaultConfig.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	})
}

// Options returns options of a store in the bucket.
func (s *State) Options() s3store.Options {
	return s3store.Options{Place: transfer.Place{Bucket: Bucket, Prefix: Prefix, Account: Account}, LeaseFor: time.Minute}
}

// Store returns a store that sends each request once.
func (s *State) Store(transport http.RoundTripper) *s3store.Store {
	return s3store.New(s.Client(transport, 1), s.Options())
}

// LockObject returns the content of the lock of that name.
func (s *State) LockObject(tb testing.TB, name string) string {
	tb.Helper()
	data, err := s.Bucket.Read(Prefix + name + "/lock")
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

// RoundTrip is a function that implements http.RoundTripper.
type RoundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls f.
func (f RoundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// operation returns a short name for a request: what the request does, such as "get" or "begin" for
// an upload, and the record or prefix that it concerns.
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

// Recorder records every request.
type Recorder struct {
	Next http.RoundTripper // sends the requests
	mu   sync.Mutex
	Seen []string // names of the requests, as returned by the function operation
}

// RoundTrip records a request and sends it.
func (c *Recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.Seen = append(c.Seen, operation(r))
	c.mu.Unlock()
	return c.Next.RoundTrip(r)
}

// Count returns how many recorded requests begin with prefix.
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

// Stored returns how many bytes are in the bucket.
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
