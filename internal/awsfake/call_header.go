package awsfake

import "net/http"

func setVersion(h http.Header, b *Bucket, o *object) {
	if b.versioned() {
		h.Set("X-Amz-Version-Id", o.versionID)
	}
}

func setEncryption(h http.Header, e encryption) {
	if e.customer {
		return
	}
	h.Set("X-Amz-Server-Side-Encryption", e.algorithm())
	if e.key == nil {
		return
	}
	h.Set("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", e.key.ARN())
	if e.bucketKey {
		h.Set("X-Amz-Server-Side-Encryption-Bucket-Key-Enabled", "true")
	}
}

func setChecksum(h http.Header, s checksum) {
	if s.algorithm != "" {
		h.Set(checksumHeader(s.algorithm), s.value)
		h.Set("X-Amz-Checksum-Type", s.kind())
	}
}
