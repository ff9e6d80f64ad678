package awsfake_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"syncd/internal/awsfake"
)

// BenchmarkCopyObject is what one small copy costs the fake, without the client.
func BenchmarkCopyObject(b *testing.B) {
	w := newWorld(b, awsfake.Options{})
	w.source.Put("key", awsfake.BytesBody(make([]byte, 1024)), awsfake.PutOptions{})
	r := signed(b, w.assume(b, nil), http.MethodPut, "https://s3.us-west-2.amazonaws.com/consumer-copy/key", map[string]string{
		"X-Amz-Copy-Source": "owner-data/key",
	})
	serve(b, w, r)
}

// BenchmarkListObjectsV2 reads one full page from the middle of 100,000 keys.
func BenchmarkListObjectsV2(b *testing.B) {
	w := newWorld(b, awsfake.Options{})
	for i := range 100_000 {
		w.source.Put(fmt.Sprintf("prefix/%08d", i), awsfake.BytesBody(nil), awsfake.PutOptions{})
	}
	r := signed(b, w.assume(b, nil), http.MethodGet,
		"https://s3.us-west-2.amazonaws.com/owner-data?list-type=2&start-after=prefix%2F00050000", nil)
	serve(b, w, r)
}

func serve(b *testing.B, w *world, r *http.Request) {
	b.Helper()
	door := w.cloud.RoundTripper()
	for b.Loop() {
		res, err := door.RoundTrip(r)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
			b.Fatalf("got %s, %v", res.Status, err)
		}
		_ = res.Body.Close()
	}
}
