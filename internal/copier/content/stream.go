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
	// streamWriters is how many parts of one stream are sent at once, while the next one is read.
	streamWriters = 2
	// maxStreams bounds how often an object is read whose body is cut short each time. Parts that
	// were made are not made again.
	maxStreams = 3
)

var errCut = errors.New("the body was cut short")

// Stream reads an object as a stream: once, from its first byte to its last, while the parts that
// are full go out after it. It is for a source that may not be asked for ranges. The SDK's uploader
// cuts the stream and sends the parts side by side. All else is as with any other upload, which is
// begun, recorded and completed outside of here.
//
// A slot is held while a part is read, or while one is sent, and never while waiting for anything
// else. So any number of streams gets on with a single slot, and no more requests move content than
// there are slots; a stream whose parts wait for slots is left unread, and its source waits with
// it. Memory is borrowed for each part before its slot, as for ranges.
type Stream struct {
	// Source reads the object.
	Source Source
	// Object is the version that is read.
	Object listing.Object
	// PartSize is the size of every part but the last, in bytes.
	PartSize int64
	// Memory lends what the parts are read into.
	Memory *Member
	// Requests sends them.
	Requests *request.Sender
	// Opened is given the CRC64NVME of the whole object that the source says, "" where it says
	// none, before its content is read.
	Opened func(sum string)
	// Part makes a part of its content, unless the very same was made already. It is called from
	// goroutines.
	Part func(ctx context.Context, number int32, content []byte) error
}

// Run makes all parts of streams of the whole object, of more than one where a body is cut short.
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
		return first // the uploader tells the last
	}
	return err
}

// reading is one body of an object on its way into parts.
type reading struct {
	Stream
	body io.ReadCloser
	at   int64 // where in the object the body stands
	stop context.CancelFunc
	fail context.CancelCauseFunc
}

// open asks for the whole object. The answer need not tell its length: the listing does.
func (r *reading) open(ctx context.Context) error {
	reading, stop := context.WithCancel(ctx)
	r.stop = stop
	var out *s3.GetObjectOutput
	err := r.Requests.Send(ctx, func(ctx context.Context) (err error) {
		defer context.AfterFunc(ctx, stop)() // the answer is waited for only so long, its body is read for longer
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

// sameVersion refuses another version, or another length, than was asked for: a service that
// ignores ranges may ignore If-Match as well.
func (r *reading) sameVersion(out *s3.GetObjectOutput) error {
	const quotes = `"`
	if etag := aws.ToString(out.ETag); etag != "" && strings.Trim(etag, quotes) != strings.Trim(r.Object.ETag, quotes) {
		return fmt.Errorf("%w: asked for version %s, answered with %s", ErrMoved, r.Object.ETag, etag)
	}
	if out.ContentLength != nil && *out.ContentLength != r.Object.Size {
		return fmt.Errorf("%w: the body has %d bytes, the object %d", ErrChecksum, *out.ContentLength, r.Object.Size)
	}
	return nil
}

func (r *reading) close() {
	_ = r.body.Close() // what counts was read or was not
	r.stop()
}

// send has the uploader cut the stream into parts and send them.
func (r *reading) send(ctx context.Context) error {
	uploader := newUploader(uploading{r}, r.PartSize, func(part io.Reader) ([]byte, func()) {
		content, giveBack, err := r.next(ctx, part)
		if err != nil {
			r.fail(err)
			return nil, func() {}
		}
		return content, giveBack
	})
	_, err := uploader.Upload(ctx, &s3.PutObjectInput{ //nolint:staticcheck // as newUploader says
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
	err = request.Guard(r.Source.Place.Bucket, r.Object.Key, func() error { // the uploader does not outlive a panic
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

// ReadAt reads on. The parts are read in their order, one after the other, so that there is no
// other place to read at.
func (r *reading) ReadAt(p []byte, offset int64) (int, error) {
	if offset != r.at {
		return 0, fmt.Errorf("read at byte %d of a stream that stands at %d", offset, r.at)
	}
	n, err := io.ReadFull(r.body, p)
	r.at += int64(n)
	return n, err
}
