package access

import "fmt"

// The sizes that AWS takes of a policy: of trust, managed and inline policies in characters without
// whitespace (IAM User Guide, "IAM and AWS STS quotas"), of bucket policies (Amazon S3 User Guide,
// "Bucket policies") and of key policies (AWS KMS API Reference, PutKeyPolicy) in bytes, and of
// session policies in characters (AWS STS API Reference, AssumeRole).
const (
	MaxTrust   = 2048
	MaxManaged = 6144
	MaxInline  = 10240
	MaxBucket  = 20 << 10
	MaxKey     = 32 << 10
	MaxSession = 2048
)

// SizeError says that a document is larger than AWS takes.
type SizeError struct {
	// Document names the document: its title.
	Document string
	// Size and Limit are in characters, of bucket and key policies in bytes.
	Size, Limit int
	// Advice says what to do.
	Advice string
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("write %s: it has %d characters, AWS takes %d: %s", e.Document, e.Size, e.Limit, e.Advice)
}
