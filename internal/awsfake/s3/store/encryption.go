package store

import "syncd/internal/awsfake/kms"

// arnContext is the one name in the encryption context of S3 ("Using server-side encryption with
// AWS KMS keys", Amazon S3 User Guide).
const arnContext = "aws:s3:arn"

// AlgorithmDual is dual-layer encryption, DSSE-KMS.
const AlgorithmDual = "aws:kms:dsse"

// EncryptionRule is what to encrypt under: a KMS key, or S3's own when key is nil.
type EncryptionRule struct {
	Key       *kms.Key
	BucketKey bool
	Dual      bool // aws:kms:dsse, which knows no bucket key
	customer  bool // SSE-C, by the owner's hand only
}

// Encryption says under what an object, or an upload, lies.
type Encryption struct {
	Key       *kms.Key // nil: SSE-S3, a key that S3 owns
	BucketKey bool
	Dual      bool   // aws:kms:dsse
	Customer  bool   // SSE-C, with a key that the fake was never told
	wrapped   []byte // the data key
	context   string // the encryption context's aws:s3:arn
}

// Algorithm is the value of x-amz-server-side-encryption.
func (e Encryption) Algorithm() string {
	switch {
	case e.Key == nil:
		return "AES256"
	case e.Dual:
		return "aws:kms:dsse"
	}
	return "aws:kms"
}

// Opaque reports whether the ETag of what lies so is not an MD5 ("Checking object integrity").
func (e Encryption) Opaque() bool { return e.Key != nil || e.Customer }

// KMSContext is the encryption context that S3 sends with the data key.
func (e Encryption) KMSContext() map[string]string { return map[string]string{arnContext: e.context} }
