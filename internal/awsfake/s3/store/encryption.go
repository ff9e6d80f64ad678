package store

import "syncd/internal/awsfake/kms"

// arnContext is the only key in S3's encryption context ("Using server-side encryption with AWS KMS
// keys", Amazon S3 User Guide).
const arnContext = "aws:s3:arn"

// AlgorithmDual is dual-layer encryption (DSSE-KMS).
const AlgorithmDual = "aws:kms:dsse"

// EncryptionRule describes how to encrypt an object: with a KMS key, or with a key that S3 owns if
// Key is nil.
type EncryptionRule struct {
	Key       *kms.Key
	BucketKey bool
	Dual      bool // aws:kms:dsse, which does not support bucket keys
	customer  bool // SSE-C; only the Go API can create such an object
}

// Encryption describes how an object or upload is encrypted.
type Encryption struct {
	Key       *kms.Key // nil: SSE-S3, a key that S3 owns
	BucketKey bool
	Dual      bool   // aws:kms:dsse
	Customer  bool   // SSE-C, with a key that the fake does not have
	wrapped   []byte // the encrypted data key
	context   string // aws:s3:arn in the encryption context
}

// Algorithm returns the value of x-amz-server-side-encryption.
func (e Encryption) Algorithm() string {
	switch {
	case e.Key == nil:
		return "AES256"
	case e.Dual:
		return "aws:kms:dsse"
	}
	return "aws:kms"
}

// Opaque reports whether ETags with this encryption are not MD5s ("Checking object integrity").
func (e Encryption) Opaque() bool { return e.Key != nil || e.Customer }

// KMSContext returns the encryption context that S3 sends to KMS.
func (e Encryption) KMSContext() map[string]string { return map[string]string{arnContext: e.context} }
