package access

import "fmt"

// The maximum sizes of policies. Trust, managed and inline policies are limited in characters
// without whitespace (IAM User Guide, "IAM and AWS STS quotas"). Bucket policies (Amazon S3 User
// Guide, "Bucket policies") and key policies (AWS KMS API Reference, PutKeyPolicy) are limited in
// bytes. Session policies are limited in characters (AWS STS API Reference, AssumeRole).
const (
	MaxTrust   = 2048
	MaxManaged = 6144
	MaxInline  = 10240
	MaxBucket  = 20 << 10
	MaxKey     = 32 << 10
	MaxSession = 2048
)

// SizeError reports that a document exceeds the size limit of AWS.
type SizeError struct {
	// Document is the title of the document.
	Document string
	// Size and Limit are numbers of characters. For bucket and key policies they are numbers of
	// bytes.
	Size, Limit int
	// Advice says how to make the document smaller.
	Advice string
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("write %s: it has %d characters, but AWS allows %d: %s", e.Document, e.Size, e.Limit, e.Advice)
}
