package copier

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/copier/request"
	"syncd/internal/transfer"
)

// tags are the tags of a copy. They are sent in a header of the request that creates the copy or,
// if they are too long for a header, set afterwards.
type tags struct {
	set    []types.Tag
	header string // form-encoded tags for the tagging header; "" if there are no tags or they are set after the copy
	late   bool
}

// readTags reads the source's tags, unless tags are omitted. A HEAD request cannot show whether
// there are tags: the tag count is absent both for an object without tags and for a role without
// permission to read tags.
func (s *source) readTags(ctx context.Context, key string) (tags, error) {
	if s.settings.OmitTags {
		return tags{}, nil
	}
	var out *s3.GetObjectTaggingOutput
	err := s.requests.Send(ctx, func(ctx context.Context) (err error) {
		out, err = s.api.GetObjectTagging(ctx, &s3.GetObjectTaggingInput{
			Bucket: &s.place.Bucket, Key: &key, ExpectedBucketOwner: s.place.ExpectedOwner(), RequestPayer: request.Payer(s.place),
		})
		return err
	})
	if err != nil {
		return tags{}, &request.ObjectError{Op: "read tags of", Bucket: s.place.Bucket, Key: key, Err: err, Hint: hintTags(err)}
	}
	set := s.chosen(out.TagSet)
	t := tags{set: set, header: encodeTags(set)}
	if len(t.header) > transfer.MaxTaggingHeader {
		t.header, t.late = "", true
	}
	return t, nil
}

// chosen returns the tags that are copied.
func (s *source) chosen(set []types.Tag) []types.Tag {
	if s.settings.OnlyTags == nil {
		return set
	}
	return slices.DeleteFunc(set, func(t types.Tag) bool { return !slices.Contains(s.settings.OnlyTags, aws.ToString(t.Key)) })
}

func encodeTags(set []types.Tag) string {
	values := url.Values{}
	for _, tag := range set {
		values.Set(aws.ToString(tag.Key), aws.ToString(tag.Value))
	}
	// Not every service decodes a plus as a space.
	return strings.ReplaceAll(values.Encode(), "+", "%20")
}
