package listing_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"

	"syncd/internal/admit"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// canned is a service that lists any number of objects. Its pages are prepared, so that a benchmark
// measures only the listing. It serves one request at a time.
type canned struct {
	pages int    // number of pages of a listing
	page  []byte // of 1,000 keys
	at    []int  // where the page's keys contain the page's number
	more  int    // where the page says whether more pages follow
	next  int    // number of the next page
}

const pageNumber = "000000"

// newCanned returns a service that lists the given number of pages, as S3 formats them.
func newCanned(pages int) *canned {
	var b bytes.Buffer
	c := &canned{pages: pages}
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>owner-data</Name><Prefix></Prefix>`)
	b.WriteString(`<KeyCount>1000</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>`)
	c.more = b.Len()
	b.WriteString("true </IsTruncated>")
	for i := range 1000 {
		b.WriteString("<Contents><Key>exports/2026/batch-")
		c.at = append(c.at, b.Len())
		fmt.Fprintf(&b, pageNumber+"/part-%05d.parquet</Key><LastModified>2026-01-02T03:04:%02d.000Z</LastModified><ETag>&quot;%032x&quot;</ETag>"+
			"<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>%d</Size><StorageClass>STANDARD</StorageClass></Contents>", i, i%60, i, 1000+i)
	}
	b.WriteString("</ListBucketResult>")
	c.page = b.Bytes()
	return c
}

// RoundTrip returns the next page; after the last, it returns the first again.
func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	number := fmt.Sprintf("%06d", c.next%c.pages)
	for _, at := range c.at {
		copy(c.page[at:], number)
	}
	c.next++
	copy(c.page[c.more:], "true</IsTruncated> ")
	if c.next%c.pages == 0 {
		copy(c.page[c.more:], "false</IsTruncated>")
	}
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r, ContentLength: int64(len(c.page)),
		Header: http.Header{"Content-Type": {"application/xml"}, "X-Amz-Request-Id": {fmt.Sprint(c.next)}}, Body: io.NopCloser(bytes.NewReader(c.page)),
	}, nil
}

func (c *canned) client() *s3.Client {
	return s3.New(s3.Options{
		Region: region, UsePathStyle: true, BaseEndpoint: aws.String("http://aws.invalid"), RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient:  &http.Client{Transport: c}, APIOptions: []func(*middleware.Stack) error{admit.New().Attach},
	})
}

// perKey reports the time and the allocations for each key of a benchmark whose iterations list n
// keys.
func perKey(b *testing.B, n int) {
	b.Helper()
	b.ReportAllocs()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/key")
}

// BenchmarkPage compares a page that is decoded by the SDK with the same page that is decoded by
// Live.
func BenchmarkPage(b *testing.B) {
	b.Run("decoder=sdk", func(b *testing.B) {
		client := newCanned(1).client()
		for b.Loop() {
			out, err := client.ListObjectsV2(b.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("owner-data"), EncodingType: types.EncodingTypeUrl})
			if err != nil || len(out.Contents) != 1000 {
				b.Fatal(err)
			}
		}
		perKey(b, 1000)
	})
	b.Run("decoder=page", func(b *testing.B) {
		l := listing.Live{Place: transfer.Place{Bucket: "owner-data"}, Client: newCanned(1).client()}
		for b.Loop() {
			page, _, err := l.Page(b.Context(), "")
			if err != nil || len(page) != 1000 {
				b.Fatal(err)
			}
		}
		perKey(b, 1000)
	})
}

// BenchmarkList measures a listing of 100,000 objects.
func BenchmarkList(b *testing.B) {
	l := listing.Live{Place: transfer.Place{Bucket: "owner-data"}, Client: newCanned(100).client()}
	for b.Loop() {
		n := 0
		for object, err := range l.List(b.Context(), listing.Range{}) {
			if err != nil || !strings.HasPrefix(object.Key, "exports/") {
				b.Fatal(object.Key, err)
			}
			n++
		}
		if n != 100_000 {
			b.Fatalf("got %d objects", n)
		}
	}
	perKey(b, 100_000)
}
