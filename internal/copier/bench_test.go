package copier_test

import (
	"testing"

	"syncd/internal/awsfake"
	"syncd/internal/copier"
)

// BenchmarkRelay relays 64 MiB in parts, over TLS as in production, and without TLS as in tests,
// where the content is also hashed for the signature. Both times include the time of the fake
// service.
func BenchmarkRelay(b *testing.B) {
	for _, scheme := range []string{"https", "http"} {
		b.Run(scheme, func(b *testing.B) {
			w := newWorld(b)
			w.relaying(64 * mib)
			w.options.OverwriteAny = true
			w.options.Destination = w.clientAt(scheme + "://aws.invalid")
			object := w.put("k", awsfake.SyntheticBody(64*mib, 1), awsfake.PutOptions{})
			c := copier.New(w.options)
			b.SetBytes(object.Size)
			for b.Loop() {
				if _, _, err := c.Copy(b.Context(), object, copier.Target{}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
