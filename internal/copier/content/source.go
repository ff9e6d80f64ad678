// Package content moves the content of objects: it reads content from the source into memory that
// copiers share, and computes the checksum that S3 stores for a whole object.
//
// It guarantees that the content it reads is complete and from the one version that has the
// requested ETag. If a body is cut short, reading resumes at the byte where the body ended. A body
// that is longer or shorter than expected, or that fails its checksum, is an error. If a source
// does not support ranges, the object is read as a [Stream], once from its first byte to its last.
// Memory use never exceeds the size of [Buffers], and a copier always leaves some memory for other
// copiers.
//
// Other packages decide where the bytes go (copier, upload) and how many requests are in flight
// (request).
//
// Terms: a range is a part of an object, requested by its offset. A cut is the early end of a body.
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

// maxCuts is how often in succession a body can be cut short, without enough progress, before Read
// fails.
const maxCuts = 5

// ErrChecksum reports content whose checksum differs from the checksum of the source or of the sent
// bytes.
var ErrChecksum = errors.New("checksum differs")

var (
	// ErrNoRanges reports that the source does not support ranges, so that the object must be read
	// as a [Stream].
	ErrNoRanges = errors.New("the source does not support range requests")
	// ErrMoved reports that the source returned a version other than the requested one.
	ErrMoved = errors.New("the source returned a version other than the requested one")
)

type readAPI interface {
	GetObject(ctx context.Context, in *s3.GetObjectInput, opts ...func(*s3.Options)) (*s3.GetObjectOutput, error)
}

// Source reads the content of objects.
type Source struct {
	// API reads with the source's credentials.
	API readAPI
	// Place is the location of the objects.
	Place transfer.Place
}

// Read fills buffer with the object's content at offset, from the version with the ETag of object.
// If a body is cut short, Read resumes where the body ended, or from the start if the source
// ignores ranges. If the source ignores ranges and buffer is shorter than the object, Read returns
// ErrNoRanges.
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
			_ = out.Body.Close() // the body is not needed
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
		_ = out.Body.Close() // an error of Close is ignored; only the read's error is handled
		if cuts++; done-reached >= body.LeastProgress {
			cuts, reached = 0, done
		}
		if cuts == maxCuts || ctx.Err() != nil || awserr.Classify(err) != awserr.Transient {
			return nil, fmt.Errorf("read body at byte %d: %w", offset+int64(done), err)
		}
	}
}

// ended checks that the body ends at its current position. The SDK reports a checksum mismatch only
// at the end of the body.
func ended(body io.ReadCloser) error {
	n, err := body.Read(make([]byte, 1))
	_ = body.Close() // the body was read to its end
	switch {
	case n > 0:
		return fmt.Errorf("%w: body is longer than the object", ErrChecksum)
	case err == nil || errors.Is(err, io.EOF):
		return nil
	case awserr.Classify(err) == awserr.Transient:
		return fmt.Errorf("read the end of the body: %w", err)
	default:
		return fmt.Errorf("%w: %w", ErrChecksum, err)
	}
}

// get requests length bytes of the object at an offset. If the range is the whole object, get sends
// no range, because only then does the service return the whole-object checksum and the SDK verify
// it. The response contains the range or the whole object, because a service is allowed to ignore a
// range (RFC 9110, section 14.2). It does not always have a length.
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
		_ = out.Body.Close() // the body is not needed
		return nil, false, fmt.Errorf("%w: requested %s, got %s", ErrNoRanges, *in.Range, *out.ContentRange)
	}
	return out, true, nil
}

// WholeSum returns the CRC64NVME of a whole object from the fields of a response: the type of the
// checksum and its value. It returns "" if there is no checksum, or if the checksum is composite
// and therefore depends on how the object was uploaded.
func WholeSum(of types.ChecksumType, answered *string) string {
	if of == types.ChecksumTypeComposite {
		return ""
	}
	return aws.ToString(answered)
}

// SameChecksum returns an error if the checksum kept, which the service reports, differs from the
// checksum sent.
func SameChecksum(sent string, kept *string) error {
	if kept == nil || *kept == "" || *kept == sent {
		return nil
	}
	return fmt.Errorf("%w: content has %s, destination has %s", ErrChecksum, sent, *kept)
}
