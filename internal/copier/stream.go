package copier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"syncd/internal/awserr"
	"syncd/internal/listing"
)

// maxCuts bounds how often in a row a body may be cut short without a byte of progress.
const maxCuts = 5

// ErrChecksum says that content differs from the checksum of its source, or arrived other than it was sent.
var ErrChecksum = errors.New("checksum differs")

type readAPI interface {
	GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// read fills buffer from the object's content at offset, all pinned to one version. A body that is cut short is taken up
// where it ended.
func (c *Copier) read(ctx context.Context, object listing.Object, offset int64, buffer []byte) (first *s3.GetObjectOutput, err error) {
	done, cuts := 0, 0
	for {
		out, err := c.get(ctx, object, offset+int64(done), buffer[done:])
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = out
		}
		n, err := io.ReadFull(out.Body, buffer[done:])
		done += n
		if done == len(buffer) {
			if err = ended(out.Body); awserr.Classify(err) != awserr.Transient {
				return first, err
			}
			done, n = 0, 0 // it broke off before the word that this is what it should be
		}
		_ = out.Body.Close() // what counts was read or was not
		if cuts++; n > 0 {
			cuts = 0
		}
		if cuts == maxCuts || ctx.Err() != nil || awserr.Classify(err) != awserr.Transient {
			return nil, fmt.Errorf("read body at byte %d: %w", offset+int64(done), err)
		}
	}
}

// ended reads on to the end of a body that should be there, because that is where the SDK tells that what it read does not
// match the checksum it came with.
func ended(body io.ReadCloser) error {
	n, err := body.Read(make([]byte, 1))
	_ = body.Close() // all of it was read
	switch {
	case n > 0:
		return fmt.Errorf("%w: the body is longer than it said", ErrChecksum)
	case err != nil && !errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %w", ErrChecksum, err)
	default:
		return nil
	}
}

// get asks for content of the object from a byte on, as much as buffer takes; for all of it without a range, because only
// then does the service tell the whole checksum and the SDK verify it.
func (c *Copier) get(ctx context.Context, object listing.Object, from int64, buffer []byte) (*s3.GetObjectOutput, error) {
	in := &s3.GetObjectInput{
		Bucket: &c.o.SourceBucket, Key: &object.Key, IfMatch: &object.ETag,
		ExpectedBucketOwner: optional(c.o.SourceAccount), RequestPayer: c.payer(),
	}
	if int64(len(buffer)) < object.Size {
		in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", from, from+int64(len(buffer))-1))
	} else {
		in.ChecksumMode = types.ChecksumModeEnabled
	}
	return c.o.Source.GetObject(ctx, in)
}

// sameChecksum compares what was sent with what the service says it keeps, where it says so.
func sameChecksum(sent string, kept *string) error {
	if kept == nil || *kept == "" || *kept == sent {
		return nil
	}
	return fmt.Errorf("%w: the content makes %s, the destination keeps %s", ErrChecksum, sent, *kept)
}

// encoding drops aws-chunked, which is how a body was sent once and no property of the object.
func encoding(value *string) *string {
	var kept []string
	for coding := range strings.SplitSeq(aws.ToString(value), ",") {
		if coding = strings.TrimSpace(coding); coding != "" && coding != "aws-chunked" {
			kept = append(kept, coding)
		}
	}
	return optional(strings.Join(kept, ","))
}
