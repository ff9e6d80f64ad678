package awsfake_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"syncd/internal/awsfake"
	"syncd/internal/awsfake/awsfaketest"
)

// BenchmarkCopyObject measures the time that the fake, without the client, needs for a small copy.
func BenchmarkCopyObject(b *testing.B) {
	w := awsfaketest.New(b, awsfake.Options{})
	w.Source.Put("key", awsfake.BytesBody(make([]byte, 1024)), awsfake.PutOptions{})
	r := awsfaketest.SignedRequest(b, w.Assume(b, nil), http.MethodPut, "https://s3.us-west-2.amazonaws.com/consumer-copy/key", map[string]string{
		"X-Amz-Copy-Source": "owner-data/key",
	})
	serve(b, w, r)
}

// BenchmarkListObjectsV2 reads one full page from the middle of 100,000 keys.
func BenchmarkListObjectsV2(b *testing.B) {
	w := awsfaketest.New(b, awsfake.Options{})
	for i := range 100_000 {
		w.Source.Put(fmt.Sprintf("prefix/%08d", i), awsfake.BytesBody(nil), awsfake.PutOptions{})
	}
	r := awsfaketest.SignedRequest(b, w.Assume(b, nil), http.MethodGet,
		"https://s3.us-west-2.amazonaws.com/owner-data?list-type=2&start-after=prefix%2F00050000", nil)
	serve(b, w, r)
}

func serve(b *testing.B, w *awsfaketest.World, r *http.Request) {
	b.Helper()
	entry := w.Cloud.RoundTripper()
	for b.Loop() {
		res, err := entry.RoundTrip(r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
			b.Fatalf("got %s, %v", res.Status, err)
		}
		_ = res.Body.Close()
	}
}
