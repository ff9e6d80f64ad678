package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awserr"
	"syncd/internal/copier/request"
	"syncd/internal/listing"
)

const (
	// streamWriters is the maximum number of parts of a stream that are sent at once while the next
	// part is read.
	streamWriters = 2
	// maxStreams is the maximum number of times that an object is read if its body is cut short
	// each time. Parts that were already made are not made again.
	maxStreams = 3
)

var errCut = errors.New("body was cut short")

// Stream reads an object once, from its first byte to its last, and sends each part when the part
// is complete. Use it for a source that does not support ranges. The SDK's uploader splits the
// stream and sends parts in parallel. The caller begins, records and completes the upload, as for
// any other upload.
//
// A slot is held only while a part is read or sent, never while waiting. Therefore any number of
// streams can make progress with a single slot, and the number of requests that move content never
// exceeds the number of slots. While a stream's parts wait for slots, the stream's body is not
// read, so the source waits. As with ranges, memory for a part is borrowed before the slot for it
// is acquired.
type Stream struct {
	// Source reads the object.
	Source Source
	// Object is the version to read.
	Object listing.Object
	// PartSize is the size of every part except the last, in bytes.
	PartSize int64
	// Memory lends the buffers for the parts.
	Memory *Member
	// Requests sends the requests for the parts.
	Requests *request.Sender
	// Opened is called before the content is read, with the CRC64NVME that the source reports for
	// the whole object, or "".
	Opened func(sum string)
	// Part makes a part from its content, unless the same part was already made. The stream calls
	// it concurrently.
	Part func(ctx context.Context, number int32, content []byte) error
}

// Run makes all parts. It reads the whole object, and reads it again if the body is cut short.
func (s Stream) Run(ctx context.Context) (err error) {
	for range maxStreams {
		if err = s.once(ctx); !errors.Is(err, errCut) {
			break
		}
	}
	return err
}

func (s Stream) once(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	r := &reading{Stream: s, fail: fail}
	if err := r.open(ctx); err != nil {
		return err
	}
	defer r.close()
	err := r.send(ctx)
	if first := context.Cause(ctx); err != nil && first != nil {
		return first // the first error is the cause; the uploader returns the last error
	}
	return err
}

// reading is one body of an object that is being split into parts.
type reading struct {
	Stream
	body io.ReadCloser
	at   int64 // offset in the object of the next byte of the body
	stop context.CancelFunc
	fail context.CancelCauseFunc
}

// open requests the whole object. The response does not always have a length; the size is known
// from the listing.
func (r *reading) open(ctx context.Context) error {
	reading, stop := context.WithCancel(ctx)
	r.stop = stop
	var out *s3.GetObjectOutput
	err := r.Requests.Send(ctx, func(ctx context.Context) (err error) {
		defer context.AfterFunc(ctx, stop)() // the timeout applies only to the response headers; reading the body can take longer
		out, _, err = r.Source.get(reading, r.Object, 0, r.Object.Size)
		return err
	})
	if err != nil {
		stop()
		return err
	}
	r.body = out.Body
	r.Opened(WholeSum(out.ChecksumType, out.ChecksumCRC64NVME))
	if err := r.sameVersion(out); err != nil {
		r.close()
		return err
	}
	return nil
}

// sameVersion returns an error if the response has another version or length than requested. The
// check is needed because a service that ignores ranges can also ignore If-Match.
func (r *reading) sameVersion(out *s3.GetObjectOutput) error {
	const quotes = `"`
	if etag := aws.ToString(out.ETag); etag != "" && strings.Trim(etag, quotes) != strings.Trim(r.Object.ETag, quotes) {
		return fmt.Errorf("%w: requested %s, got %s", ErrMoved, r.Object.ETag, etag)
	}
	if out.ContentLength != nil && *out.ContentLength != r.Object.Size {
		return fmt.Errorf("%w: body has %d bytes, object has %d", ErrChecksum, *out.ContentLength, r.Object.Size)
	}
	return nil
}

func (r *reading) close() {
	_ = r.body.Close() // an error of Close is ignored: it does not affect the bytes that were read
	r.stop()
}

// send makes the uploader split the stream into parts and send them.
func (r *reading) send(ctx context.Context) error {
	uploader := newUploader(uploading{r}, r.PartSize, func(part io.Reader) ([]byte, func()) {
		content, giveBack, err := r.next(ctx, part)
		if err != nil {
			r.fail(err)
			return nil, func() {}
		}
		return content, giveBack
	})
	_, err := uploader.Upload(ctx, &s3.PutObjectInput{ //nolint:staticcheck // see newUploader
		Bucket: aws.String(r.Source.Place.Bucket), Key: &r.Object.Key, Body: io.NewSectionReader(r, 0, r.Object.Size),
	})
	return err
}

// next reads the next part.
func (r *reading) next(ctx context.Context, part io.Reader) (content []byte, giveBack func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	length := min(r.PartSize, r.Object.Size-r.at)
	if err := r.Requests.WaitBytes(ctx, length); err != nil {
		return nil, nil, err
	}
	content, giveBack, err = r.Memory.Borrow(ctx, length)
	if err != nil {
		return nil, nil, err
	}
	err = request.Guard(r.Source.Place.Bucket, r.Object.Key, func() error { // the uploader does not recover from a panic
		return r.Requests.Send(ctx, func(ctx context.Context) error {
			defer context.AfterFunc(ctx, r.stop)()
			return r.fill(part, content)
		})
	})
	if err != nil {
		giveBack()
		return nil, nil, err
	}
	return content, giveBack, nil
}

func (r *reading) fill(part io.Reader, content []byte) error {
	_, err := io.ReadFull(part, content)
	if err == nil && r.at == r.Object.Size {
		err = ended(r.body)
	}
	if awserr.Classify(err) == awserr.Transient {
		return fmt.Errorf("%w at byte %d: %w", errCut, r.at, err)
	}
	return err
}

// ReadAt reads the next bytes of the body. The uploader reads the parts in order, so offset is
// always the current offset.
func (r *reading) ReadAt(p []byte, offset int64) (int, error) {
	if offset != r.at {
		return 0, fmt.Errorf("read at byte %d of a stream at byte %d", offset, r.at)
	}
	n, err := io.ReadFull(r.body, p)
	r.at += int64(n)
	return n, err
}
