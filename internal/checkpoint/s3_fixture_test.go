package checkpoint_test

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
	"syncd/internal/checkpoint"
)

const (
	stateBucket  = "consumer-state"
	stateAccount = "222222222222"
	statePrefix  = "syncd/"
	stateRegion  = "us-west-2"
)

// state is a bucket for ledgers, in memory.
type state struct {
	cloud  *awsfake.Cloud
	user   *awsfake.User
	bucket *awsfake.Bucket
	key    *awsfake.Key
}

func newState() *state {
	cloud := awsfake.New(awsfake.Options{})
	account := cloud.Account(stateAccount)
	return &state{
		cloud: cloud, user: account.AdminUser(), key: account.CreateKey(stateRegion, nil),
		bucket: account.CreateBucket(stateBucket, stateRegion, awsfake.BucketOptions{}),
	}
}

// client reaches the bucket through transport, or without one directly.
func (s *state) client(transport http.RoundTripper, attempts int) *s3.Client {
	if transport == nil {
		transport = s.cloud.RoundTripper()
	}
	return s3.New(s3.Options{
		Region: stateRegion, UsePathStyle: true, BaseEndpoint: aws.String("http://aws.invalid"), RetryMaxAttempts: attempts,
		Credentials: credentials.NewStaticCredentialsProvider(s.user.AccessKeyID, s.user.SecretAccessKey, ""),
		HTTPClient:  &http.Client{Transport: transport}, APIOptions: []func(*middleware.Stack) error{admit.New().Attach},
		// What configuration files load.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	})
}

func (s *state) options() checkpoint.S3Options {
	return checkpoint.S3Options{Bucket: stateBucket, Prefix: statePrefix, Account: stateAccount, LeaseFor: time.Minute}
}

// store is a store that sends each request once.
func (s *state) store(transport http.RoundTripper) *checkpoint.S3 {
	return checkpoint.NewS3(s.client(transport, 1), s.options())
}

// lockObject reads the lock of that name.
func (s *state) lockObject(tb testing.TB, name string) string {
	tb.Helper()
	data, err := s.bucket.Read(statePrefix + name + "/lock")
	if err != nil {
		tb.Fatal(err)
	}
	return string(data)
}

// roundTrip is a transport that is one function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// operation names a request: its method, the record, and what it does to an upload.
func operation(r *http.Request) string {
	name := strings.TrimPrefix(r.URL.Path, "/"+stateBucket+"/"+statePrefix)
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

// recorder notes every request.
type recorder struct {
	next http.RoundTripper
	mu   sync.Mutex
	seen []string
}

func (c *recorder) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.seen = append(c.seen, operation(r))
	c.mu.Unlock()
	return c.next.RoundTrip(r)
}

// count returns how many requests begin so.
func (c *recorder) count(prefix string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.seen {
		if strings.HasPrefix(s, prefix) {
			n++
		}
	}
	return n
}

// stored is how many bytes the bucket has.
func (s *state) stored(t *testing.T) (sum int64) {
	t.Helper()
	pages := s3.NewListObjectsV2Paginator(s.client(nil, 1), &s3.ListObjectsV2Input{Bucket: aws.String(stateBucket)})
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
