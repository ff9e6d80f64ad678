package listing_test

import (
	"context"
	"io"
	"iter"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"

	"syncd/internal/admit"
	"syncd/internal/awsfake"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

const (
	region = "us-west-2"
	owner  = "111111111111"
)

// world is a bucket and a user who is allowed to list it.
type world struct {
	cloud  *awsfake.Cloud
	bucket *awsfake.Bucket
	user   *awsfake.User
}

func newWorld(tb testing.TB, keys ...string) *world {
	tb.Helper()
	cloud := awsfake.New(awsfake.Options{})
	account := cloud.Account(owner)
	w := &world{cloud: cloud, user: account.AdminUser(), bucket: account.CreateBucket("owner-data", region, awsfake.BucketOptions{})}
	for _, key := range keys {
		w.bucket.Put(key, awsfake.BytesBody([]byte(key)), awsfake.PutOptions{})
	}
	return w
}

// live returns a listing of the world's bucket in memory.
func (w *world) live() listing.Live { return w.over(w.cloud.RoundTripper()) }

// over returns a listing of the world's bucket through another transport.
func (w *world) over(transport http.RoundTripper) listing.Live {
	return listing.Live{Place: transfer.Place{Bucket: w.bucket.Name()}, Client: s3.New(s3.Options{
		Region: region, UsePathStyle: true, BaseEndpoint: aws.String("http://aws.invalid"), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider(w.user.AccessKeyID, w.user.SecretAccessKey, ""),
		HTTPClient:  &http.Client{Transport: transport}, APIOptions: []func(*middleware.Stack) error{admit.New().Attach},
	})}
}

// answers are pages that a service returns one after another, regardless of the requests.
type answers struct {
	bodies []string
	asked  int
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	body := a.bodies[min(a.asked, len(a.bodies)-1)]
	a.asked++
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/xml"}}, Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// page returns the XML of a page with these keys, without encoding them.
func page(truncated string, keys ...string) string {
	var b strings.Builder
	b.WriteString(`<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><EncodingType>url</EncodingType>`)
	b.WriteString("<IsTruncated>" + truncated + "</IsTruncated>")
	for _, key := range keys {
		b.WriteString(`<Contents><Key>` + key + `</Key><ETag>"e"</ETag><Size>1</Size></Contents>`)
	}
	return b.String() + "</ListBucketResult>"
}

// observer sees each request before it is served.
type observer struct {
	http.RoundTripper
	see func(*http.Request)
}

func (o observer) RoundTrip(r *http.Request) (*http.Response, error) {
	o.see(r)
	return o.RoundTripper.RoundTrip(r)
}

// list reads a listing to its end. It fails the test if the sequence continues after an error.
func list(tb testing.TB, l listing.Live, r listing.Range) ([]listing.Object, error) {
	tb.Helper()
	return collect(tb, l.List(context.WithoutCancel(tb.Context()), r))
}

func collect(tb testing.TB, seq iter.Seq2[listing.Object, error]) (objects []listing.Object, failed error) {
	tb.Helper()
	for object, err := range seq {
		if failed != nil {
			tb.Fatalf("got %q, %v after the error %v", object.Key, err, failed)
		}
		if failed = err; err == nil {
			objects = append(objects, object)
		}
	}
	return objects, failed
}

func keysOf(objects []listing.Object) []string {
	keys := []string{}
	for _, o := range objects {
		keys = append(keys, o.Key)
	}
	return keys
}
