// Package content moves the bytes of objects: it reads them from the source, holds them in memory
// that copiers share, and computes the checksum that S3 keeps of a whole object.
//
// It promises that everything it reads is of one version, pinned by its ETag, and whole: a body
// that was cut short resumes where it ended, and one that is longer, shorter or other than it was
// sent is an error. Where a source answers no ranges, an object is read as a [Stream], once from
// its first byte to its last. Memory never exceeds the size of [Buffers], and what one copier holds
// leaves some for the others.
//
// It leaves to others where the bytes go (copier, upload) and how many requests are in flight
// (request).
//
// Two words: a range is a part of an object that is asked for by its place in it; a cut is the end
// of a body before its time.
package content

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
	"syncd/internal/copier/request"
	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// maxCuts bounds how often in a row a body may be cut short without a byte of progress.
const maxCuts = 5

// ErrChecksum says that content differs from the checksum of its source, or arrived other than it
// was sent.
var ErrChecksum = errors.New("checksum differs")

var (
	// ErrNoRanges says that the source answers a range with something else, so that the object has
	// to be read as a [Stream].
	ErrNoRanges = errors.New("the source answers a range with something else")
	// ErrMoved says that the source is another version than the one that was asked for.
	ErrMoved = errors.New("the source is another version than the one that was asked for")
)

type readAPI interface {
	GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// Source reads the content of objects.
type Source struct {
	// API reads with the source's credentials.
	API readAPI
	// Place is where the objects are.
	Place transfer.Place
}

// Read fills buffer from the object's content at offset, all pinned to one version. A body that is
// cut short is taken up where it ended, or from the start where the source ignores ranges. A buffer
// that is not for the whole object is not to be filled from such a source: ErrNoRanges.
func (s Source) Read(ctx context.Context, object listing.Object, offset int64, buffer []byte) (first *s3.GetObjectOutput, err error) {
	done, reached, cuts := 0, 0, 0
	for {
		out, ranged, err := s.get(ctx, object, offset+int64(done), int64(len(buffer)-done))
		if err != nil {
			return nil, err
		}
		if !ranged {
			done = 0
		}
		if !ranged && int64(len(buffer)) < object.Size {
			_ = out.Body.Close() // nothing of it is wanted
			return nil, ErrNoRanges
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

// ended reads on to the end of a body that should be there, because that is where the SDK tells
// that what it read does not match the checksum it came with.
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

// get asks for length bytes of the object from a byte on; for all of it without a range, because
// only then does the service tell the whole checksum and the SDK verify it. The answer is the
// range, or else the whole object: a service may ignore a range (RFC 9110, section 14.2). Its
// length need not be told.
func (s Source) get(ctx context.Context, object listing.Object, from, length int64) (out *s3.GetObjectOutput, ranged bool, err error) {
	in := &s3.GetObjectInput{
		Bucket: &s.Place.Bucket, Key: &object.Key, IfMatch: &object.ETag,
		ExpectedBucketOwner: s.Place.ExpectedOwner(), RequestPayer: request.Payer(s.Place),
	}
	if length == object.Size {
		in.ChecksumMode = types.ChecksumModeEnabled
		out, err = body.GetObject(ctx, s.API, in)
		return out, false, err
	}
	in.Range = aws.String(fmt.Sprintf("bytes=%d-%d", from, from+length-1))
	out, err = body.GetObject(ctx, s.API, in)
	if err != nil || out.ContentRange == nil {
		return out, false, err
	}
	if !strings.HasPrefix(*out.ContentRange, fmt.Sprintf("bytes %d-", from)) {
		_ = out.Body.Close() // nothing of it is wanted
		return nil, false, fmt.Errorf("%w: asked for %s, answered %s", ErrNoRanges, *in.Range, *out.ContentRange)
	}
	return out, true, nil
}

// WholeSum returns the CRC64NVME of a whole object as an answer has it, "" where it has none: that
// of parts, which depends on how the object was uploaded, is no such checksum.
func WholeSum(of types.ChecksumType, answered *string) string {
	if of == types.ChecksumTypeComposite {
		return ""
	}
	return aws.ToString(answered)
}

// SameChecksum compares what was sent with what the service says it keeps, where it says so.
func SameChecksum(sent string, kept *string) error {
	if kept == nil || *kept == "" || *kept == sent {
		return nil
	}
	return fmt.Errorf("%w: the content makes %s, the destination keeps %s", ErrChecksum, sent, *kept)
}
