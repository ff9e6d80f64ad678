package access

import "fmt"

// The sizes that AWS takes of a policy: of trust, managed and inline policies in characters without whitespace (IAM User
// Guide, "IAM and AWS STS quotas"), of bucket policies (Amazon S3 User Guide, "Bucket policies") and of key policies (AWS KMS
// API Reference, PutKeyPolicy) in bytes, and of session policies in characters (AWS STS API Reference, AssumeRole).
const (
	maxTrust   = 2048
	maxManaged = 6144
	maxInline  = 10240
	maxBucket  = 20 << 10
	maxKey     = 32 << 10
	maxSession = 2048
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

// checkSize refuses what AWS would refuse.
func (d *draft) checkSize() error {
	text, err := compact(d.Body)
	if err != nil {
		return fmt.Errorf("write %s: %w", d.Title, err)
	}
	limits := map[Kind]int{KindIdentity: maxInline, KindTrust: maxTrust, KindBucket: maxBucket, KindKey: maxKey}
	advice := map[Kind]string{
		KindIdentity: "split the mappings among several roles, or give those of one bucket a common prefix",
		KindTrust:    "let fewer roles assume this one; AWS raises the limit to 4,096 on request",
		KindBucket:   "give the mappings of this bucket a common prefix, or share it with the style account",
		KindKey:      "share the key with the style account, or give the mappings of its bucket a common prefix",
	}
	if limit := limits[d.Kind]; len(text) > limit {
		return &SizeError{Document: d.Title, Size: len(text), Limit: limit, Advice: advice[d.Kind]}
	}
	if d.Kind == KindIdentity && len(text) > maxManaged {
		d.note(fmt.Sprintf("It has %d characters: too many for a managed policy (%d), few enough for an inline one (%d).", len(text), maxManaged, maxInline))
	}
	return nil
}
