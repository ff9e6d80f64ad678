package awsfake

// arnContext is the one name in the encryption context of S3 ("Using server-side encryption with AWS
// KMS keys", Amazon S3 User Guide).
const arnContext = "aws:s3:arn"

// algorithmDual is dual-layer encryption, DSSE-KMS.
const algorithmDual = "aws:kms:dsse"

// encryptionRule is what to encrypt under: a KMS key, or S3's own when key is nil.
type encryptionRule struct {
	key       *Key
	bucketKey bool
	dual      bool // aws:kms:dsse, which knows no bucket key
	customer  bool // SSE-C, by the owner's hand only
}

// encryption says under what an object, or an upload, lies.
type encryption struct {
	key       *Key // nil: SSE-S3, a key that S3 owns
	bucketKey bool
	dual      bool   // aws:kms:dsse
	customer  bool   // SSE-C, with a key that the fake was never told
	wrapped   []byte // the data key
	context   string // the encryption context's aws:s3:arn
}

func (e encryption) algorithm() string {
	switch {
	case e.key == nil:
		return "AES256"
	case e.dual:
		return "aws:kms:dsse"
	}
	return "aws:kms"
}

// opaque reports whether the ETag of what lies so is not an MD5 ("Checking object integrity").
func (e encryption) opaque() bool { return e.key != nil || e.customer }
