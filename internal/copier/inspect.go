package copier

import (
	"cmp"
	"context"
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint/record"
	"syncd/internal/copier/content"
	"syncd/internal/copier/request"
	"syncd/internal/listing"
	"syncd/internal/plan"
)

// Inspect compares the recorded copy of an object with what a copy would be today: KMS key, bucket
// key, checksum, metadata, tags and lock. It takes a HEAD request on each side and, if tags are copied,
// a request for the tags on each side. It returns one difference for each property that differs, and
// the kind DiffersUnchecked if a request about this object failed. It returns an error only for
// failures that would also affect other requests.
//
// Annotations, ACLs and website redirects are not compared.
func (c *Copier) Inspect(ctx context.Context, object listing.Object, e record.Entry) (found []plan.Difference, err error) {
	key, err := c.DestinationKey(object.Key)
	if err != nil {
		return nil, nil //nolint:nilerr // there is no copy under an invalid key
	}
	i := &inspection{Copier: c, object: object, key: key, entry: e}
	err = c.guard(object.Key, func() error { return i.run(ctx) })
	switch {
	case err == nil:
	case awserr.Fatal(err), ctx.Err() != nil:
		return nil, c.failed("inspect copy of", object.Key, err)
	case awserr.Classify(err) == awserr.Gone, awserr.Classify(err) == awserr.Precondition:
		return nil, nil // the object or its copy has just changed
	default:
		i.differs(plan.DiffersUnchecked, err.Error())
	}
	return i.found, nil
}

// inspection compares one copy with its source.
type inspection struct {
	*Copier
	object listing.Object
	key    string // at the destination
	entry  record.Entry
	found  []plan.Difference
}

func (i *inspection) differs(kind plan.DifferenceKind, detail string) {
	i.found = append(i.found, plan.Difference{Kind: kind, Key: i.object.Key, Bytes: i.object.Size, Detail: detail})
}

func (i *inspection) run(ctx context.Context) error {
	copied, err := i.destination.head(ctx, &s3.HeadObjectInput{Key: &i.key, IfMatch: &i.entry.DestinationETag})
	if err != nil {
		return err
	}
	i.compareKey(copied)
	source, err := i.source.head(ctx, i.object.Key, &i.object.ETag)
	if err != nil {
		return err
	}
	i.compareContent(source, copied)
	i.compareLock(lockOf(&i.o, source), copied)
	if !i.o.OmitMetadata {
		i.compareMetadata(source, copied)
	}
	return i.compareTags(ctx)
}

// compareKey compares the encryption. Other services than S3 need not support bucket keys, so for them
// the copy must only be as it was.
func (i *inspection) compareKey(copied *s3.HeadObjectOutput) {
	bucketKey := i.entry.BucketKey
	if i.o.ToS3 == nil || i.o.ToS3() {
		bucketKey = i.o.BucketKey
	}
	key := aws.ToString(copied.SSEKMSKeyId)
	switch {
	case key == "" && !isKMS(copied.ServerSideEncryption):
		i.differs(plan.DiffersUnencrypted, "encrypted with "+cmp.Or(string(copied.ServerSideEncryption), "nothing"))
	case !plan.SameKey(key, i.o.KeyARN):
		i.differs(plan.DiffersKey, "encrypted with "+key)
	case aws.ToBool(copied.BucketKeyEnabled) != bucketKey:
		i.differs(plan.DiffersBucketKey, fmt.Sprintf("%t, want %t", aws.ToBool(copied.BucketKeyEnabled), bucketKey))
	}
}

func isKMS(by types.ServerSideEncryption) bool {
	return by == types.ServerSideEncryptionAwsKms || by == types.ServerSideEncryptionAwsKmsDsse
}

func (i *inspection) compareContent(source, copied *s3.HeadObjectOutput) {
	if n := aws.ToInt64(copied.ContentLength); copied.ContentLength != nil && n != i.object.Size {
		i.differs(plan.DiffersChecksum, fmt.Sprintf("%d bytes, want %d", n, i.object.Size))
		return
	}
	theirs := content.OfHead(copied)
	for n, ours := range content.OfHead(source) {
		if ours.Value == nil || theirs[n].Value == nil {
			continue
		}
		if *ours.Value != *theirs[n].Value {
			i.differs(plan.DiffersChecksum, fmt.Sprintf("%s %s, want %s", ours.Algorithm, *theirs[n].Value, *ours.Value))
		}
		return
	}
}

// compareLock reports a copy whose retention is absent or ends before it should. A retention that was
// shortened when the object was copied only has to exist.
func (i *inspection) compareLock(want lock, copied *s3.HeadObjectOutput) {
	until := aws.ToTime(copied.ObjectLockRetainUntilDate)
	switch {
	case want.until != nil && until.IsZero():
		i.differs(plan.DiffersLock, "no retention, want until "+want.until.UTC().Format(time.RFC3339))
	case want.until != nil && !want.cut && until.Before(want.until.Truncate(time.Second)):
		i.differs(plan.DiffersLock, fmt.Sprintf("retention until %s, want %s", until.UTC().Format(time.RFC3339), want.until.UTC().Format(time.RFC3339)))
	case want.until != nil && want.mode == types.ObjectLockModeCompliance && copied.ObjectLockMode != want.mode:
		i.differs(plan.DiffersLock, fmt.Sprintf("mode %s, want %s", copied.ObjectLockMode, want.mode))
	case want.hold == types.ObjectLockLegalHoldStatusOn && copied.ObjectLockLegalHoldStatus != want.hold:
		i.differs(plan.DiffersLock, "no legal hold")
	}
}

// compareMetadata reports the names of the headers and metadata that differ, but not their values,
// which can be confidential.
func (i *inspection) compareMetadata(source, copied *s3.HeadObjectOutput) {
	if aws.ToInt32(source.MissingMeta) > 0 || aws.ToInt32(copied.MissingMeta) > 0 {
		i.differs(plan.DiffersUnchecked, "the service does not return all metadata")
		return
	}
	if names := differing(properties(source), properties(copied)); len(names) > 0 {
		i.differs(plan.DiffersMetadata, strings.Join(names, ", "))
	}
}

// properties returns the headers and metadata that a copy has from its source, by name.
func properties(head *s3.HeadObjectOutput) map[string]string {
	all := map[string]string{}
	for name, value := range map[string]*string{
		"Cache-Control": head.CacheControl, "Content-Disposition": head.ContentDisposition, "Content-Encoding": encoding(head.ContentEncoding),
		"Content-Language": head.ContentLanguage, "Content-Type": aws.String(cmp.Or(aws.ToString(head.ContentType), defaultType)), "Expires": head.ExpiresString,
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

// compareTags reports the keys of the tags that differ. If a role may not read the tags of the copies,
// they are reported as not checked.
func (i *inspection) compareTags(ctx context.Context) error {
	if i.o.OmitTags {
		return nil
	}
	want, err := i.source.readTags(ctx, i.object.Key)
	if err != nil {
		return err
	}
	found, err := i.destination.readTags(ctx, i.key)
	if err != nil {
		return err
	}
	if names := differing(tagMap(want.set), tagMap(found)); len(names) > 0 {
		i.differs(plan.DiffersTags, strings.Join(names, ", "))
	}
	return nil
}

func tagMap(set []types.Tag) map[string]string {
	all := map[string]string{}
	for _, tag := range set {
		all[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return all
}

// readTags reads the tags of a copy.
func (d *destination) readTags(ctx context.Context, key string) ([]types.Tag, error) {
	var out *s3.GetObjectTaggingOutput
	err := d.requests.Send(ctx, func(ctx context.Context) (err error) {
		out, err = d.api.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{Bucket: &d.place.Bucket, Key: &key, ExpectedBucketOwner: d.place.ExpectedOwner()})
		return err
	})
	if err != nil {
		return nil, &request.ObjectError{Op: "read tags of copy", Bucket: d.place.Bucket, Key: key, Err: err}
	}
	return out.TagSet, nil
}
