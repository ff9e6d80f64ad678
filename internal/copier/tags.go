package copier

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
)

// maxTaggingHeader is the longest tagging header that is sent, in bytes: S3 bounds what a request may carry in its headers,
// while ten tags of 128 and 256 characters beyond ASCII encode to far more (Amazon S3 User Guide, "Object tagging").
const maxTaggingHeader = 2 << 10

// tags are the tags that a copy gets, in the header of the request that makes it or, too long for that, behind it.
type tags struct {
	set    []types.Tag
	header string // form-encoded as the tagging header wants them; "" when there are none or they are set late
	late   bool
}

// readTags reads the source's tags, none when they are left behind. HEAD cannot tell whether there are any: it answers no
// count both for an object without tags and for a caller who may not read them.
func (c *Copier) readTags(ctx context.Context, key string) (tags, error) {
	if c.o.OmitTags {
		return tags{}, nil
	}
	var out *s3.GetObjectTaggingOutput
	err := c.withSlot(ctx, func(ctx context.Context) (err error) {
		out, err = c.o.Source.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{
			Bucket: &c.o.SourcePlace.Bucket, Key: &key, ExpectedBucketOwner: optional(c.o.SourcePlace.Account), RequestPayer: c.payer(),
		})
		return err
	})
	if err != nil {
		return tags{}, &ObjectError{Op: "read tags of", Bucket: c.o.SourcePlace.Bucket, Key: key, Err: err, Hint: hintTags(err)}
	}
	set := c.chosen(out.TagSet)
	t := tags{set: set, header: encodeTags(set)}
	if len(t.header) > maxTaggingHeader {
		t.header, t.late = "", true
	}
	return t, nil
}

// chosen are those of the tags that are copied.
func (c *Copier) chosen(set []types.Tag) []types.Tag {
	if c.o.OnlyTags == nil {
		return set
	}
	return slices.DeleteFunc(set, func(t types.Tag) bool { return !slices.Contains(c.o.OnlyTags, aws.ToString(t.Key)) })
}

func encodeTags(set []types.Tag) string {
	values := url.Values{}
	for _, tag := range set {
		values.Set(aws.ToString(tag.Key), aws.ToString(tag.Value))
	}
	// A plus that stands for a space is not a space to everyone.
	return strings.ReplaceAll(values.Encode(), "+", "%20")
}

// deferTags reports whether the request may have been refused for its tagging header, and has the tags set late then.
func (d *draft) deferTags(refused error) bool {
	switch awserr.Code(refused) {
	case "RequestHeaderSectionTooLarge", "InvalidTag":
	default:
		return false
	}
	if d.tags.header == "" {
		return false
	}
	d.tags.header, d.tags.late = "", true
	return true
}

// tagLate sets the tags that no header could carry, on the very version that was made where there are versions. The copy
// counts only with them: until then it is not in the ledger, and a process that is killed here makes it again.
func (j *job) tagLate(ctx context.Context, d *draft, made Result) error {
	if !d.tags.late {
		return nil
	}
	c := j.c
	err := j.write(ctx, func(ctx context.Context) error {
		_, err := c.o.Destination.PutObjectTagging(ctx, &s3.PutObjectTaggingInput{
			Bucket: &c.o.DestinationPlace.Bucket, Key: &made.DestinationKey, VersionId: optional(made.DestinationVersionID),
			ExpectedBucketOwner: optional(c.o.DestinationPlace.Account), Tagging: &types.Tagging{TagSet: d.tags.set},
		})
		return err
	})
	switch class := awserr.Classify(err); class { //nolint:exhaustive // what is wrong with the tags themselves
	case "":
		return nil
	case awserr.Invalid, awserr.TooLarge, awserr.Unsupported:
		err = fmt.Errorf("%w: %w", errTagOverflow, err)
	case awserr.Gone, awserr.Precondition:
		// Somebody removed the copy; that is not the source having moved.
		err = fmt.Errorf("%w: %s", errTagOverflow, awserr.Brief(err))
	}
	return &ObjectError{Op: "set tags of", Bucket: c.o.DestinationPlace.Bucket, Key: made.DestinationKey, Err: err, Hint: hintTags(err)}
}
