package call

import (
	"net/http"

	"syncd/internal/awsfake/s3/content"
	"syncd/internal/awsfake/s3/store"
)

// SetVersion sets the version ID header if the bucket is versioned.
func SetVersion(h http.Header, b *store.Bucket, o *store.Object) {
	if b.Versioned() {
		h.Set("X-Amz-Version-Id", o.VersionID)
	}
}

// SetEncryption sets the headers that describe an object's encryption.
func SetEncryption(h http.Header, e store.Encryption) {
	if e.Customer {
		return
	}
	h.Set("X-Amz-Server-Side-Encryption", e.Algorithm())
	if e.Key == nil {
		return
	}
	h.Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", e.Key.ARN())
	if e.BucketKey {
		h.Set("X-Amz-Server-Side-Encryption-Bucket-Key-Enabled", "true")
	}
}

// SetChecksum sets the checksum headers, if there is a checksum.
func SetChecksum(h http.Header, s content.Checksum) {
	if s.Algorithm != "" {
		h.Set(content.ChecksumHeader(s.Algorithm), s.Value)
		h.Set("X-Amz-Checksum-Type", s.Kind())
	}
}
