package listing_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/awserr"
	"syncd/internal/awsfake"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// outcome is what the other packages see of a page: the objects, the requests, and the properties
// of an error that decide what happens next.
type outcome struct {
	Objects  []listing.Object
	More     bool
	Requests []string
	Class    awserr.Class
	Code     string
	Status   int
	HasID    bool
	Away     bool
	Fatal    bool
	Answered bool
	Foreign  bool
}

func outcomeOf(objects []listing.Object, more bool, err error) outcome {
	got := outcome{
		Objects: objects, More: more, Class: awserr.Classify(err), Code: awserr.Code(err), Away: awserr.IsAway(err), Fatal: awserr.Fatal(err), Answered: awserr.Answered(err),
	}
	if response, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && response.Response != nil {
		got.Status = response.HTTPStatusCode()
		got.Foreign = awserr.Foreign(err, response.Response.Response) != nil
	}
	if sent, ok := errors.AsType[interface {
		error
		ServiceRequestID() string
	}](err); ok {
		got.HasID = sent.ServiceRequestID() != ""
	}
	return got
}

// changing matches the headers of a request that differ each time it is sent.
var changing = regexp.MustCompile(`Signature=\w+|Credential=\w+/\d+|ttl=\w+`)

// patient returns a listing that tries each request three times without a pause, and a function
// that returns its requests.
func patient(w *world, service http.RoundTripper) (l listing.Live, requests func() []string) {
	var sent []string
	l = w.over(observer{service, func(r *http.Request) {
		header := r.Header.Clone()
		header.Del("X-Amz-Date")
		header.Del("Amz-Sdk-Invocation-Id")
		sent = append(sent, changing.ReplaceAllString(fmt.Sprint(r.Method, r.URL, header), ""))
	}})
	o := l.Client.(*s3.Client).Options()
	o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = 3
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
	l.Client = s3.New(o)
	l.Place.Account = owner
	return l, func() []string { return sent }
}

// bySDK requests a page like Live.Page, and decodes it with the SDK.
func bySDK(ctx context.Context, l listing.Live) (objects []listing.Object, more bool, err error) {
	out, err := l.Client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
		Bucket: &l.Place.Bucket, MaxKeys: aws.Int32(1000), EncodingType: types.EncodingTypeUrl, ExpectedBucketOwner: l.Place.ExpectedOwner(),
	})
	if err != nil {
		return nil, false, err
	}
	for _, o := range out.Contents {
		key, err := transfer.DecodeKey(aws.ToString(o.Key), out.EncodingType == types.EncodingTypeUrl)
		if err != nil {
			return objects, false, err
		}
		objects = append(objects, listing.Object{
			Key: key, StorageClass: string(o.StorageClass),
			Version: transfer.Version{ETag: aws.ToString(o.ETag), Size: aws.ToInt64(o.Size), LastModified: aws.ToTime(o.LastModified)},
		})
	}
	return objects, aws.ToBool(out.IsTruncated), nil
}

// filled returns a world with a bucket of more than a page of objects.
func filled(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	modified := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	for i, key := range append(awkward(), numbered(990)...) {
		w.bucket.Put(key, awsfake.SyntheticBody(int64(i), 1), awsfake.PutOptions{StorageClass: []string{"", "STANDARD", "GLACIER_IR"}[i%3], LastModified: modified})
	}
	return w
}

// compare requests the same page with the SDK's decoder and with Live, and fails if anything
// differs. The function service is called before each of the two.
func compare(t *testing.T, name string, w *world, service func(cancel func()) http.RoundTripper) (err error) {
	t.Helper()
	run := func(page func(context.Context, listing.Live) ([]listing.Object, bool, error)) (outcome, error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		l, requests := patient(w, service(cancel))
		objects, more, err := page(ctx, l)
		got := outcomeOf(objects, more, err)
		got.Requests = requests()
		return got, err
	}
	want, wantErr := run(bySDK)
	got, err := run(func(ctx context.Context, l listing.Live) ([]listing.Object, bool, error) { return l.Page(ctx, "") })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: got %v with Live, %v with the SDK (-SDK +Live):\n%s", name, err, wantErr, diff)
	}
	return err
}

// TestPageLikeTheSDK checks, for each fault of a service, that a page has the same objects, the same
// requests with the same retries, and the same kind of error as with the SDK's decoder.
func TestPageLikeTheSDK(t *testing.T) {
	w, succeeded := filled(t), 0
	for kind := awsfake.None; kind <= awsfake.NotImplemented+8; kind++ {
		for _, times := range []int{1, 3} {
			name := fmt.Sprintf("fault %d %s, %d times", kind, kind, times)
			remove := func() {}
			err := compare(t, name, w, func(cancel func()) http.RoundTripper {
				remove()
				fault := awsfake.Fault{Operation: "ListObjectsV2", Times: times, Kind: kind}
				if kind == awsfake.Timeout {
					fault.Do = cancel
				}
				remove = w.cloud.Inject(fault)
				return w.cloud.RoundTripper()
			})
			remove()
			if err == nil {
				succeeded++
			}
		}
	}
	if succeeded < 10 {
		t.Errorf("got %d pages after a fault, want at least those of the faults that a client retries", succeeded)
	}
}

// TestBodyLikeTheSDK checks the same for bodies with the status 200.
func TestBodyLikeTheSDK(t *testing.T) {
	w := newWorld(t)
	for name, body := range map[string]string{
		"empty":               "",
		"space":               " \n ",
		"portal":              "<html><body>welcome to the portal</body></html>",
		"open portal":         "<html><body>welcome<br>to the portal</body></html>",
		"text":                "welcome to the portal",
		"an error":            errorPage,
		"a throttling error":  "<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>",
		"half an error":       errorPage[:20],
		"neither nor":         raw("", "a", "b"),
		"last":                raw(last, "a", "b"),
		"truncated":           raw(truncated("t"), "a", "b"),
		"cut":                 raw(last, "a", "b")[:150],
		"without its last":    strings.TrimSuffix(raw(last, "a"), ">"),
		"mismatched":          strings.Replace(raw(last, "a"), "</Key>", "</Kay>", 1),
		"a control character": raw(last, "a\x01"),
		"a comment":           raw(last+"<!-- -->", "a"),
		"a size of text":      strings.Replace(raw(last, "a"), "<Size>1<", "<Size>one<", 1),
		"full":                raw(last, numbered(1000)...),
		"too many":            raw(last, numbered(1001)...),
		"long key":            raw(last, strings.Repeat("k", 40<<10)),
		"too deep":            strings.Repeat("<a>", 50_000),
		"entities":            raw(last, "a&amp;b", "c&#x1F600;"),
	} {
		err := compare(t, name, w, func(func()) http.RoundTripper { return &answers{bodies: []string{body}} })
		if want := body == raw(last, "a", "b") || body == raw(truncated("t"), "a", "b") || name == "full" || name == "entities"; (err == nil) != want {
			t.Errorf("%s: got %v, want a page: %t", name, err, want)
		}
	}
}

// TestPageIsWhole checks that a page is rejected if more XML or text follows after it. The SDK's
// decoder does not read so far.
func TestPageIsWhole(t *testing.T) {
	for _, more := range []string{"<Contents/>", raw(last), "x", "</a>"} {
		_, err := list(t, newWorld(t).over(&answers{bodies: []string{raw(last, "a") + more}}), listing.Range{})
		if awserr.Classify(err) != awserr.Transient {
			t.Errorf("%q after the page: got %v of class %q, want class %q", more, err, awserr.Classify(err), awserr.Transient)
		}
	}
}

// TestTooManyEntries checks the error for a page that is too long.
func TestTooManyEntries(t *testing.T) {
	for _, n := range []int{1001, 1100} {
		_, err := list(t, newWorld(t).over(&answers{bodies: []string{raw(last, numbered(n)...)}}), listing.Range{})
		want := "invalid response to ListObjectsV2: a page of more than 1000 entries; the response has no request id"
		if err == nil || !strings.Contains(err.Error(), want) || awserr.Classify(err) != awserr.Transient {
			t.Errorf("%d keys: got %v, want an error that contains %q", n, err, want)
		}
	}
}
