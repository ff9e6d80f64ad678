// Package inspection compares the properties of a copy with what they must be.
//
// It sends no requests: the copier reads both sides, and decides what a copy must be. An [Inspection]
// collects one difference for each property that differs. The details of metadata and tags contain
// their names but not their values, which can be confidential.
package inspection

import (
	"cmp"
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/copier/content"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// Inspection collects the differences of one copy.
type Inspection struct {
	// Object is the source object.
	Object listing.Object
	// Found are the differences found so far.
	Found []plan.Difference
}

// Differs records a difference.
func (i *Inspection) Differs(kind plan.DifferenceKind, detail string) {
	i.Found = append(i.Found, plan.Difference{Kind: kind, Key: i.Object.Key, Bytes: i.Object.Size, Detail: detail})
}

// Key compares the encryption with a KMS key, and the use of an S3 Bucket Key.
func (i *Inspection) Key(copied *s3.HeadObjectOutput, keyARN string, bucketKey bool) {
	key := aws.ToString(copied.SSEKMSKeyId)
	switch {
	case key == "" && !isKMS(copied.ServerSideEncryption):
		i.Differs(plan.DiffersUnencrypted, "encrypted with "+cmp.Or(string(copied.ServerSideEncryption), "nothing"))
	case !plan.SameKey(key, keyARN):
		i.Differs(plan.DiffersKey, "encrypted with "+key)
	case aws.ToBool(copied.BucketKeyEnabled) != bucketKey:
		i.Differs(plan.DiffersBucketKey, fmt.Sprintf("%t, want %t", aws.ToBool(copied.BucketKeyEnabled), bucketKey))
	}
}

func isKMS(by types.ServerSideEncryption) bool {
	return by == types.ServerSideEncryptionAwsKms || by == types.ServerSideEncryptionAwsKmsDsse
}

// Content compares the sizes, and the first checksum of the whole object that both sides have. If there is
// none, it compares the checksum that the ledger recorded for the copy, as in [content.Named].
func (i *Inspection) Content(source, copied *s3.HeadObjectOutput, recorded string) {
	if n := aws.ToInt64(copied.ContentLength); copied.ContentLength != nil && n != i.Object.Size {
		i.Differs(plan.DiffersChecksum, fmt.Sprintf("%d bytes, want %d", n, i.Object.Size))
		return
	}
	theirs := content.OfHead(copied)
	for n, ours := range content.OfHead(source) {
		if ours.Value == nil || theirs[n].Value == nil {
			continue
		}
		if *ours.Value != *theirs[n].Value {
			i.Differs(plan.DiffersChecksum, fmt.Sprintf("%s %s, want %s", ours.Algorithm, *theirs[n].Value, *ours.Value))
		}
		return
	}
	algorithm, value, _ := strings.Cut(recorded, ":")
	for _, c := range theirs {
		if c.Algorithm == algorithm && c.Value != nil && *c.Value != value {
			i.Differs(plan.DiffersChecksum, fmt.Sprintf("%s %s, want %s as recorded", algorithm, *c.Value, value))
		}
	}
}

// Lock is the Object Lock that a copy must have at least.
type Lock struct {
	// Mode is the mode of the retention that ends at Until; the zero time means no retention.
	Mode  types.ObjectLockMode
	Until time.Time
	// IsCut means that the retention was shortened when the object was copied. When that was is known
	// only roughly: see cutMargin.
	IsCut bool
	// IsHeldByEvent means that an event hold is in force.
	IsHeldByEvent bool
	// IsHeld means that the copy must have a legal hold.
	IsHeld bool
}

// cutMargin is how much earlier than expected a shortened retention may end. It is computed when a copy
// begins, and the ledger records when it ended; a copy in parts can be resumed days later.
const cutMargin = 7 * 24 * time.Hour

// Retention compares the retention and the event hold of a copy.
func (i *Inspection) Retention(want, found Lock) {
	if want.IsHeldByEvent && !found.IsHeldByEvent {
		i.Differs(plan.DiffersLock, "no event hold")
	}
	least := want.Until.Truncate(time.Second)
	if want.IsCut {
		least = least.Add(-cutMargin)
	}
	switch until, mode := found.Until, found.Mode; {
	case want.Until.IsZero():
	case until.IsZero():
		i.Differs(plan.DiffersLock, "no retention, want until "+want.Until.UTC().Format(time.RFC3339))
	case until.Before(least):
		i.Differs(plan.DiffersLock, fmt.Sprintf("retention until %s, want %s", until.UTC().Format(time.RFC3339), want.Until.UTC().Format(time.RFC3339)))
	case want.Mode == types.ObjectLockModeCompliance && mode != want.Mode:
		i.Differs(plan.DiffersLock, fmt.Sprintf("mode %s, want %s", mode, want.Mode))
	}
}

// Hold compares the legal hold.
func (i *Inspection) Hold(want Lock, isHeld bool) {
	if want.IsHeld && !isHeld {
		i.Differs(plan.DiffersLock, "no legal hold")
	}
}

// Metadata compares headers and user metadata.
func (i *Inspection) Metadata(source, copied *s3.HeadObjectOutput) {
	if hidden, want := aws.ToInt32(copied.MissingMeta), aws.ToInt32(source.MissingMeta); hidden != want {
		i.Differs(plan.DiffersMetadata, fmt.Sprintf("%d names that headers cannot show, want %d", hidden, want))
		return
	}
	if names := differing(properties(source), properties(copied)); len(names) > 0 {
		i.Differs(plan.DiffersMetadata, strings.Join(names, ", "))
	}
}

// Tags compares tags.
func (i *Inspection) Tags(want, found []types.Tag) {
	if names := differing(valuesOf(want), valuesOf(found)); len(names) > 0 {
		i.Differs(plan.DiffersTags, strings.Join(names, ", "))
	}
}

func valuesOf(set []types.Tag) map[string]string {
	all := map[string]string{}
	for _, tag := range set {
		all[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return all
}

// properties returns the headers and metadata that a copy has from its source, by name.
func properties(head *s3.HeadObjectOutput) map[string]string {
	all := map[string]string{}
	for name, value := range map[string]*string{
		"Cache-Control": head.CacheControl, "Content-Disposition": head.ContentDisposition, "Content-Encoding": content.Encoding(head.ContentEncoding),
		"Content-Language": head.ContentLanguage, "Content-Type": aws.String(cmp.Or(aws.ToString(head.ContentType), content.DefaultType)), "Expires": head.ExpiresString,
	} {
		if value != nil {
			all[name] = *value
		}
	}
	for name, value := range head.Metadata {
		all["x-amz-meta-"+strings.ToLower(name)] = decodedMetadata(value)
	}
	return all
}

// decodedMetadata decodes RFC 2047 encoding, because the two sides can encode the same value in
// different ways.
func decodedMetadata(value string) string {
	if decoded, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
		return decoded
	}
	return value
}

// differing returns the names under which the two maps differ, in order.
func differing(a, b map[string]string) (names []string) {
	for name, value := range a {
		if other, ok := b[name]; !ok || other != value {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	return slices.Sorted(slices.Values(names))
}
