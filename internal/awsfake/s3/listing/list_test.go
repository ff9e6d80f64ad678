package listing_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

// naive computes a listing in the simplest way.
func naive(all []string, prefix, delimiter, after string) (keys, prefixes []string) {
	slices.Sort(all)
	for _, k := range slices.Compact(all) {
		rest, ok := strings.CutPrefix(k, prefix)
		if !ok || k <= after {
			continue
		}
		if i := strings.Index(rest, delimiter); delimiter != "" && i >= 0 {
			if common := prefix + rest[:i+len(delimiter)]; !slices.Contains(prefixes, common) {
				prefixes = append(prefixes, common)
			}
			continue
		}
		keys = append(keys, k)
	}
	return keys, prefixes
}

func TestListingAgainstModel(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		bucket := fmt.Sprintf("model-%d", n)
		b := w.Consumer.CreateBucket(bucket, awsfaketest.Region, awsfake.BucketOptions{})
		key := rapid.StringOfN(rapid.RuneFrom([]rune("ab/é\x01 ")), 1, 5, -1)
		all := rapid.SliceOfN(key, 0, 40).Draw(rt, "keys")
		for _, k := range all {
			b.Put(k, awsfake.BytesBody(nil), awsfake.PutOptions{})
		}
		for _, k := range rapid.SliceOfN(key, 0, 10).Draw(rt, "deleted") {
			b.Delete(k)
			all = slices.DeleteFunc(all, func(s string) bool { return s == k })
		}
		prefix := rapid.SampledFrom([]string{"", "a", "a/", "b"}).Draw(rt, "prefix")
		delimiter := rapid.SampledFrom([]string{"", "/", "b"}).Draw(rt, "delimiter")
		after := ""
		if delimiter == "" {
			after = rapid.SampledFrom([]string{"", "a", "a/b", "zz"}).Draw(rt, "after")
		}
		in := &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix, MaxKeys: aws.Int32(int32(rapid.IntRange(1, 5).Draw(rt, "max")))}
		if delimiter != "" {
			in.Delimiter = &delimiter
		}
		if after != "" {
			in.StartAfter = &after
		}
		keys, prefixes := awsfaketest.ListAll(t, client, in)
		wantKeys, wantPrefixes := naive(all, prefix, delimiter, after)
		if !slices.Equal(keys, wantKeys) || !slices.Equal(prefixes, wantPrefixes) {
			rt.Fatalf("got %q and %q, want %q and %q", keys, prefixes, wantKeys, wantPrefixes)
		}
	})
}

func TestListingIsInByteOrder(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	var want []string
	for i := range 3000 { // more keys than a chunk of the index can contain, not in order
		want = append(want, fmt.Sprintf("%04d", i*7919%3000))
	}
	for _, k := range want {
		w.Destination.Put(k, awsfake.BytesBody(nil), awsfake.PutOptions{})
	}
	slices.Sort(want)
	got, _ := awsfaketest.ListAll(t, awsfaketest.S3Client(w.UserConfig(w.Base)), &s3.ListObjectsV2Input{Bucket: aws.String("consumer-copy")})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, k := range want[500:2500] {
		w.Destination.Delete(k)
	}
	got, _ = awsfaketest.ListAll(t, awsfaketest.S3Client(w.UserConfig(w.Base)), &s3.ListObjectsV2Input{Bucket: aws.String("consumer-copy")})
	if diff := cmp.Diff(slices.Concat(want[:500], want[2500:]), got); diff != "" {
		t.Error(diff)
	}
}

// TestShortPages checks that a bucket whose pages are limited returns every key, in pages that are
// no longer than the limit and than max-keys.
func TestShortPages(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	b := w.Consumer.CreateBucket("short-pages", "us-west-2", awsfake.BucketOptions{PageKeys: 3})
	var want []string
	for i := range 8 {
		want = append(want, fmt.Sprintf("k%d", i))
		b.Put(want[i], awsfake.BytesBody(nil), awsfake.PutOptions{})
	}
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	for _, tt := range []struct{ maxKeys, pages int64 }{{1000, 3}, {3, 3}, {2, 4}} {
		w.Cloud.ResetRequests()
		got, _ := awsfaketest.ListAll(t, client, &s3.ListObjectsV2Input{Bucket: aws.String("short-pages"), MaxKeys: aws.Int32(int32(tt.maxKeys))})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("max-keys %d (-want +got):\n%s", tt.maxKeys, diff)
		}
		if n := w.Cloud.Requests()["ListObjectsV2"]; n != tt.pages {
			t.Errorf("max-keys %d: got %d pages, want %d", tt.maxKeys, n, tt.pages)
		}
	}
}

// TestControlCharactersBreakPlainXML checks that, as with S3, a client needs encoding-type=url to
// decode a page with control characters in keys.
func TestControlCharactersBreakPlainXML(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	w.Destination.Put("a\x01b", awsfake.BytesBody(nil), awsfake.PutOptions{})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	if _, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("consumer-copy")}); err == nil {
		t.Error("a plain listing parsed")
	}
	got, _ := awsfaketest.ListAll(t, client, &s3.ListObjectsV2Input{Bucket: aws.String("consumer-copy")})
	if diff := cmp.Diff([]string{"a\x01b"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestListObjectsV1(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	for _, k := range []string{"a", "b/1", "b/2", "c"} {
		w.Destination.Put(k, awsfake.BytesBody(nil), awsfake.PutOptions{})
	}
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	var got []string
	for marker := ""; ; {
		page, err := client.ListObjects(t.Context(), &s3.ListObjectsInput{
			Bucket: aws.String("consumer-copy"), Delimiter: aws.String("/"), MaxKeys: aws.Int32(1), Marker: &marker,
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Contents {
			got = append(got, *o.Key)
		}
		for _, p := range page.CommonPrefixes {
			got = append(got, *p.Prefix)
		}
		if !aws.ToBool(page.IsTruncated) {
			break
		}
		marker = *page.NextMarker
	}
	if diff := cmp.Diff([]string{"a", "b/", "c"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestBadListings(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	for query, want := range map[string]string{
		"max-keys=0":                        "",
		"max-keys=-1":                       "InvalidArgument",
		"max-keys=x":                        "InvalidArgument",
		"encoding-type=base64":              "InvalidArgument",
		"continuation-token=x":              "InvalidArgument",
		"continuation-token=bm90IG91cnM%3D": "InvalidArgument",
	} {
		r := awsfaketest.SignedRequest(t, w.UserConfig(w.Base), http.MethodGet, "https://s3.us-west-2.amazonaws.com/consumer-copy?list-type=2&"+query, nil)
		if got := awsfaketest.RoundTrip(t, w, r); got.Code != want {
			t.Errorf("%s: got %q, want %q", query, got.Code, want)
		}
	}
}

func TestVersions(t *testing.T) {
	w := awsfaketest.New(t, awsfake.Options{})
	b := w.Consumer.CreateBucket("versioned", awsfaketest.Region, awsfake.BucketOptions{Versioning: true})
	client := awsfaketest.S3Client(w.UserConfig(w.Base))
	first := b.Put("k", awsfake.BytesBody([]byte("1")), awsfake.PutOptions{})
	b.Put("k", awsfake.BytesBody([]byte("2")), awsfake.PutOptions{})
	deleted, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("versioned"), Key: aws.String("k")})
	if err != nil {
		t.Fatal(err)
	}
	if !aws.ToBool(deleted.DeleteMarker) || aws.ToString(deleted.VersionId) == "" {
		t.Errorf("delete left no marker: %+v", deleted)
	}
	get := func(version *string) string {
		out, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("versioned"), Key: aws.String("k"), VersionId: version})
		if err != nil {
			return awsfaketest.Code(err)
		}
		return awsfaketest.BodyOf(t, out.Body)
	}
	for _, tt := range []struct {
		name    string
		version *string
		want    string
	}{
		{"current is a marker", nil, "NoSuchKey"},
		{"first version", &first.VersionID, "1"},
		{"the marker itself", deleted.VersionId, "MethodNotAllowed"},
		{"no such version", aws.String("none"), "NoSuchVersion"},
	} {
		if got := get(tt.version); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
	var got []string
	for p := s3.NewListObjectVersionsPaginator(client, &s3.ListObjectVersionsInput{Bucket: aws.String("versioned"), MaxKeys: aws.Int32(1)}); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.DeleteMarkers {
			got = append(got, fmt.Sprintf("marker latest=%v", *m.IsLatest))
		}
		for _, v := range page.Versions {
			got = append(got, fmt.Sprintf("%s %d latest=%v", *v.Key, *v.Size, *v.IsLatest))
		}
	}
	if diff := cmp.Diff([]string{"marker latest=true", "k 1 latest=false", "k 1 latest=false"}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String("versioned"), Key: aws.String("k"), VersionId: deleted.VersionId}); err != nil {
		t.Fatal(err)
	}
	if got := get(nil); got != "2" {
		t.Errorf("after the marker is gone: got %q, want 2", got)
	}
	if got := len(b.Versions("k")); got != 2 {
		t.Errorf("got %d versions, want 2", got)
	}
}
