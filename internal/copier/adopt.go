package copier

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awserr"
	"syncd/internal/copier/content"
	"syncd/internal/plan"
)

// adoptMargin is how much newer than its source an object at the destination must be to be adopted
// without matching checksums. Times are weak evidence: they have whole seconds, and another tool
// may have read the source before it was overwritten, and written its copy afterwards.
const adoptMargin = time.Hour

// adopt checks whether the object at the destination can be adopted as the copy: it must be
// encrypted with the configured key and have the same content, as far as that can be decided
// without reading the content. The check takes a HEAD request to each side, unless the result is
// already known. An object that cannot be checked is not adopted. adopt returns an error only for
// failures that would also affect other requests.
func (j *job) adopt(ctx context.Context) (result Result, adopted bool, err error) {
	s := j.standing
	if s.found.head == nil {
		var head *s3.HeadObjectOutput
		head, err = j.destination.head(ctx, &s3.HeadObjectInput{Key: &j.key, IfMatch: &s.found.ETag})
		if err == nil {
			s.found = foundOf(head)
		}
	}
	copied := s.found.head
	if err == nil && plan.SameKey(aws.ToString(copied.SSEKMSKeyId), j.o.KeyARN) && s.found.Size == j.object.Size {
		var source *s3.HeadObjectOutput
		source, err = j.source.head(ctx, j.object.Key, &j.object.ETag)
		// If syncd made the copy, the copy's time is no evidence: syncd may have copied another
		// object to this key under settings that have since been reverted. It is no evidence either if
		// another writer has replaced a copy of syncd.
		adopted = err == nil && sameContent(source, copied, !s.isOurs() && s.known == "")
	}
	if adopted && s.isOurs() {
		adopted, err = j.isFinished(ctx)
	}
	switch {
	case err != nil && (awserr.Fatal(err) || ctx.Err() != nil || refused(err)):
		return Result{}, false, j.failed("adopt copy of", j.object.Key, err)
	case !adopted:
		return Result{}, false, nil
	}
	return Result{
		Object: j.object, DestinationKey: j.key, Adopted: true, Ours: s.isOurs(),
		DestinationETag: aws.ToString(copied.ETag), DestinationVersionID: aws.ToString(copied.VersionId),
		KeyARN: aws.ToString(copied.SSEKMSKeyId), BucketKey: aws.ToBool(copied.BucketKeyEnabled),
		Checksum: content.Named(content.OfHead(copied)), CopiedAt: aws.ToTime(copied.LastModified),
	}, true, nil
}

// isFinished reports whether a copy made by syncd has the tags and annotations that are added after
// a copy. The process that made the copy may have been killed before it could add them.
func (j *job) isFinished(ctx context.Context) (bool, error) {
	found, err := j.source.readTags(ctx, j.object.Key)
	if err != nil || found.late {
		return false, err
	}
	if !j.o.Annotations {
		return true, nil
	}
	names, err := j.source.annotations().Sizes(ctx, j.object.Key)
	return err == nil && len(names) == 0, err
}

// sameContent compares the first whole-object checksum that both sides have. If they have no
// checksum in common, it returns true only if mayBelieve is true and the copy is newer than its
// source by at least adoptMargin.
func sameContent(source, copied *s3.HeadObjectOutput, mayBelieve bool) bool {
	theirs := content.OfHead(copied)
	for i, ours := range content.OfHead(source) {
		if ours.Value != nil && theirs[i].Value != nil {
			return *ours.Value == *theirs[i].Value
		}
	}
	return mayBelieve && !aws.ToTime(copied.LastModified).Before(aws.ToTime(source.LastModified).Add(adoptMargin))
}
