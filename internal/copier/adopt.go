package copier

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/checkpoint"
	"syncd/internal/plan"
	"syncd/internal/transfer"
)

// adoptMargin is how much newer than its source a copy must be where no checksum shows that they are equal. Times alone
// prove little: they have whole seconds, and a tool that read the source before it was overwritten may have written after.
const adoptMargin = time.Hour

type headAPI interface {
	HeadObject(ctx context.Context, in *s3.HeadObjectInput, opts ...func(*s3.Options)) (*s3.HeadObjectOutput, error)
}

// adopt looks whether what was found at the destination can stand for a copy of the object: under the configured key, and
// of the same content as far as that can be decided without reading it. It costs a HEAD of either side, less what is known
// already. An error is one that no other request would escape; what cannot be looked at is not adopted.
func (j *job) adopt(ctx context.Context) (result Result, adopted bool, err error) {
	s := j.standing
	if s.found.head == nil {
		var head *s3.HeadObjectOutput
		head, err = j.c.headCopy(ctx, &s3.HeadObjectInput{Key: &j.key, IfMatch: &s.found.ETag})
		if err == nil {
			s.found = foundOf(head)
		}
	}
	copied := s.found.head
	if err == nil && plan.SameKey(aws.ToString(copied.SSEKMSKeyId), j.c.o.KeyARN) && s.found.Size == j.object.Size {
		var source *s3.HeadObjectOutput
		source, err = j.c.head(ctx, j.object.Key, &j.object.ETag)
		// One of ours may have been made of another object, under settings that were put back: its time proves nothing.
		adopted = err == nil && sameContent(source, copied, !s.isOurs())
	}
	if adopted && s.isOurs() {
		adopted, err = j.isFinished(ctx)
	}
	switch {
	case err != nil && (awserr.Fatal(err) || ctx.Err() != nil || refused(err)):
		return Result{}, false, j.c.failed("adopt copy of", j.object.Key, err)
	case !adopted:
		return Result{}, false, nil
	}
	return Result{
		Object: j.object, DestinationKey: j.key, Adopted: true,
		DestinationETag: aws.ToString(copied.ETag), DestinationVersionID: aws.ToString(copied.VersionId),
		KeyARN: aws.ToString(copied.SSEKMSKeyId), BucketKey: aws.ToBool(copied.BucketKeyEnabled),
		Checksum: checksumOf(headChecksums(copied)), CopiedAt: aws.ToTime(copied.LastModified),
	}, true, nil
}

// isFinished reports whether a copy of syncd's own lacks nothing that is given to a copy after it was made: whoever made it may have
// been killed in between.
func (j *job) isFinished(ctx context.Context) (bool, error) {
	found, err := j.c.readTags(ctx, j.object.Key)
	if err != nil || found.late {
		return false, err
	}
	if !j.c.o.Annotations {
		return true, nil
	}
	names, err := j.c.annotationsOf(ctx, j.object.Key)
	return err == nil && len(names) == 0, err
}

// Shown reports whether a listing showed the destination to hold the copy that an entry of the ledger is of, where somebody
// may have replaced it; otherKey says that it may have been under another KMS key. It is not sure where only a HEAD can tell.
func (c *Copier) Shown(e checkpoint.Entry, target Target, otherKey bool) (isThere, isSure bool) {
	p := target.Present
	switch {
	case !target.Looked:
		return false, false
	case p == nil || !transfer.SameETag(p.ETag, e.DestinationETag) || p.Size != e.Source.Size || !c.o.HasClass(p.StorageClass):
		return false, true
	default:
		return true, !otherKey // a listing does not name keys
	}
}

// Proved reports whether the destination still holds the copy that an entry of the ledger is of, by what is Shown and
// otherwise by a HEAD. What cannot be looked at counts as replaced; an error is one that no other request would escape.
func (c *Copier) Proved(ctx context.Context, e checkpoint.Entry, target Target, otherKey bool) (bool, error) {
	key, err := c.DestinationKey(e.Key)
	if err != nil {
		return false, nil //nolint:nilerr // no copy can be under a key that cannot exist
	}
	if isThere, isSure := c.Shown(e, target, otherKey); isSure {
		return isThere, nil
	}
	head, err := c.headCopy(ctx, &s3.HeadObjectInput{Key: &key, IfMatch: &e.DestinationETag})
	err = c.alone(ctx, e.Key, err)
	switch {
	case err == nil:
		return aws.ToString(head.VersionId) == e.DestinationVersionID && plan.SameKey(aws.ToString(head.SSEKMSKeyId), c.o.KeyARN) &&
			c.o.HasClass(string(head.StorageClass)), nil
	case awserr.Fatal(err), ctx.Err() != nil:
		return false, &ObjectError{Op: "look up copy of", Bucket: c.o.SourcePlace.Bucket, Key: e.Key, Err: err}
	default:
		return false, nil
	}
}

// Left is what a source object that is gone has left at the destination.
type Left struct {
	// Intact says that the copy that the ledger knows is still there.
	Intact bool
	// Entry is what is there and is syncd's own, with the fields of an entry that can be known: of which source version it is
	// cannot. Nil says that nothing is.
	Entry *checkpoint.Entry
}

// LeftOf asks what is at the destination under the key of a source object that is gone. It costs a HEAD. What the role may not
// look at, and may be syncd's, is an error.
func (c *Copier) LeftOf(ctx context.Context, sourceKey string, target Target) (Left, error) {
	key, err := c.DestinationKey(sourceKey)
	if err != nil {
		return Left{}, nil //nolint:nilerr // nothing can be under a key that cannot exist
	}
	target.Looked, target.Present = false, nil
	s := c.standing(key, target)
	if err := s.look(ctx); err != nil {
		return Left{}, c.alone(ctx, sourceKey, err)
	}
	if s.found == nil {
		return Left{}, nil
	}
	isKnown := transfer.SameETag(s.found.ETag, s.known)
	switch {
	case !isKnown && !s.isOurs():
		return Left{}, nil
	case s.found.head == nil && isKnown:
		return Left{Intact: true}, nil
	case s.found.head == nil:
		return Left{}, c.failed("look up copy of", sourceKey, errNotShown)
	}
	return Left{Intact: isKnown, Entry: &checkpoint.Entry{
		Key: sourceKey, DestinationETag: s.found.ETag, DestinationVersionID: s.found.ID,
		KeyARN: aws.ToString(s.found.head.SSEKMSKeyId), BucketKey: aws.ToBool(s.found.head.BucketKeyEnabled),
		Checksum: checksumOf(headChecksums(s.found.head)), CopiedAt: s.found.LastModified,
	}}, nil
}

// headCopy asks what is at the destination under the input's key. An expired session has a HEAD refused without a word; a listing
// of the key tells, and has the session renewed.
func (c *Copier) headCopy(ctx context.Context, in *s3.HeadObjectInput) (head *s3.HeadObjectOutput, err error) {
	in.Bucket, in.ChecksumMode, in.ExpectedBucketOwner = &c.o.DestinationPlace.Bucket, types.ChecksumModeEnabled, optional(c.o.DestinationPlace.Account)
	ask := func(ctx context.Context) (err error) {
		head, err = c.o.Destination.HeadObject(ctx, in)
		return err
	}
	if err = c.withSlot(ctx, ask); awserr.Code(err) != "BadRequest" {
		return head, err
	}
	_, _, explained := c.lookup(ctx, c.o.Destination, c.o.DestinationPlace.Bucket, c.o.DestinationPlace.Account, *in.Key)
	switch class := awserr.Classify(explained); class { //nolint:exhaustive // the others tell nothing of the HEAD
	case "":
		err = c.withSlot(ctx, ask)
	case awserr.Expired, awserr.Credentials, awserr.Canceled:
		err = explained
	}
	return head, err
}

// sameContent compares a checksum of the whole that both sides have; where they have none in common, a copy that was made
// long after its source is believed if it may be.
func sameContent(source, copied *s3.HeadObjectOutput, mayBelieve bool) bool {
	theirs := headChecksums(copied)
	for i, ours := range headChecksums(source) {
		if ours.value != nil && theirs[i].value != nil {
			return *ours.value == *theirs[i].value
		}
	}
	return mayBelieve && !aws.ToTime(copied.LastModified).Before(aws.ToTime(source.LastModified).Add(adoptMargin))
}

// headChecksums lists the checksums of a whole object; those of parts, which depend on how it was uploaded, are none.
func headChecksums(h *s3.HeadObjectOutput) []checksum {
	if h.ChecksumType == types.ChecksumTypeComposite {
		h = &s3.HeadObjectOutput{}
	}
	return []checksum{
		{"crc64nvme", h.ChecksumCRC64NVME},
		{"crc32", h.ChecksumCRC32},
		{"crc32c", h.ChecksumCRC32C},
		{"sha256", h.ChecksumSHA256},
		{"sha1", h.ChecksumSHA1},
	}
}
