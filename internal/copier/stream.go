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
	"syncd/internal/body"
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
// where it ended, or from the start where the source ignores ranges. A buffer that is not for the whole object is not to be
// filled from such a source: errNoRanges.
func (c *Copier) read(ctx context.Context, object listing.Object, offset int64, buffer []byte) (first *s3.GetObjectOutput, err error) {
	done, reached, cuts := 0, 0, 0
	for {
		out, ranged, err := c.get(ctx, object, offset+int64(done), int64(len(buffer)-done))
		if err != nil {
			return nil, err
		}
		if !ranged {
			done = 0
		}
		if !ranged && int64(len(buffer)) < object.Size {
			_ = out.Body.Close() // nothing of it is wanted
			return nil, errNoRanges
		}
		if first == nil {
			first = out
		}
		n, err := io.ReadFull(out.Body, buffer[done:])
		done += n
		if done == len(buffer) {
			return first, ended(out.Body)
		}
		_ = out.Body.Close() // what counts was read or was not
		if cuts++; done-reached >= body.LeastProgress {
			cuts, reached = 0, done
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
		return fmt.Errorf("%w: the body is longer than the object", ErrChecksum)
	case err == nil || errors.Is(err, io.EOF):
		return nil
	case awserr.Classify(err) == awserr.Transient:
		return fmt.Errorf("read the end of the body: %w", err)
	default:
		return fmt.Errorf("%w: %w", ErrChecksum, err)
	}
}

// get asks for length bytes of the object from a byte on; for all of it without a range, because only then does the service
// tell the whole checksum and the SDK verify it. The answer is the range, or else the whole object: a service may ignore a
// range (RFC 9110, section 14.2). Its length need not be told.
func (c *Copier) get(ctx context.Context, object listing.Object, from, length int64) (out *s3.GetObjectOutput, ranged bool, err error) {
	in := &s3.GetObjectInput{
		Bucket: &c.o.SourcePlace.Bucket, Key: &object.Key, IfMatch: &object.ETag,
		ExpectedBucketOwner: optional(c.o.SourcePlace.Account), RequestPayer: c.payer(),
	}
	if length == object.Size {
		in.ChecksumMode = types.ChecksumModeEnabled
		out, err = body.GetObject(ctx, c.o.Source, in)
		return out, false, err
	}
	in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", from, from+length-1))
	out, err = body.GetObject(ctx, c.o.Source, in)
	if err != nil || out.ContentRange == nil {
		return out, false, err
	}
	if !strings.HasPrefix(*out.ContentRange, fmt.Sprintf("bytes %d-", from)) {
		_ = out.Body.Close() // nothing of it is wanted
		return nil, false, fmt.Errorf("%w: asked for %s, answered %s", errNoRanges, *in.Range, *out.ContentRange)
	}
	return out, true, nil
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
