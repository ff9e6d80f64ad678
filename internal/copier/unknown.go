package copier

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/manager"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awserr"
	"syncd/internal/transfer"
)

// A source that may not be asked for ranges is read as a stream: once, from its first byte to its last, while the parts
// that are full go out behind it. The SDK's uploader cuts the stream and sends the parts side by side. All else is as with
// any other upload, which is begun, remembered, completed and settled outside of here.
const (
	// streamWriters is how many parts of one stream are sent at once, while the next one is read.
	streamWriters = 2
	// maxStreams bounds how often an object is read whose body is cut short each time. Parts that were made are not made again.
	maxStreams = 3
)

var (
	errNoRanges = errors.New("the source answers a range with something else")
	errCut      = errors.New("the body was cut short")
)

// streamParts makes the parts that are not there yet from streams of the whole object.
func (u *upload) streamParts(ctx context.Context) (err error) {
	for range maxStreams {
		if err = u.streamOnce(ctx); !errors.Is(err, errCut) {
			break
		}
	}
	if err != nil {
		return u.c.failed("relay", u.object.Key, err)
	}
	return nil
}

func (u *upload) streamOnce(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	s := &stream{upload: u, fail: fail}
	if err := s.open(ctx); err != nil {
		return err
	}
	defer s.close()
	err := s.send(ctx)
	if first := context.Cause(ctx); err != nil && first != nil {
		return first // the uploader tells the last
	}
	return err
}

// stream is the content of an object on its way into an upload.
//
// A slot is held while a part is read, or while one is sent, and never while waiting for anything else. So any number of
// streams gets on with a single slot, and no more requests move content than there are slots; a stream whose parts wait for
// slots is left unread, and its source waits with it. Memory is borrowed for each part before its slot, as for ranges.
type stream struct {
	*upload
	body io.ReadCloser
	at   int64 // where in the object the body stands
	stop context.CancelFunc
	fail context.CancelCauseFunc
}

// open asks for the whole object. The answer need not tell its length: the listing does.
func (s *stream) open(ctx context.Context) error {
	reading, stop := context.WithCancel(ctx)
	s.stop = stop
	var out *s3.GetObjectOutput
	err := s.c.withSlot(ctx, func(ctx context.Context) (err error) {
		defer context.AfterFunc(ctx, stop)() // the answer is waited for only so long, its body is read for longer
		out, _, err = s.c.get(reading, s.object, 0, s.object.Size)
		return err
	})
	if err != nil {
		stop()
		return err
	}
	s.body = out.Body
	if s.sourceSum == "" {
		s.sourceSum = wholeSum(headOf(out))
	}
	if err := s.sameVersion(out); err != nil {
		s.close()
		return err
	}
	return nil
}

// sameVersion refuses another version, or another length, than was asked for: a service that ignores ranges may ignore
// If-Match as well.
func (s *stream) sameVersion(out *s3.GetObjectOutput) error {
	const quotes = `"`
	if etag := aws.ToString(out.ETag); etag != "" && strings.Trim(etag, quotes) != strings.Trim(s.object.ETag, quotes) {
		return fmt.Errorf("%w: asked for version %s, answered with %s", errMoved, s.object.ETag, etag)
	}
	if out.ContentLength != nil && *out.ContentLength != s.object.Size {
		return fmt.Errorf("%w: the body has %d bytes, the object %d", ErrChecksum, *out.ContentLength, s.object.Size)
	}
	return nil
}

func (s *stream) close() {
	_ = s.body.Close() // what counts was read or was not
	s.stop()
}

// send has the uploader cut the stream into parts and send them.
func (s *stream) send(ctx context.Context) error {
	uploader := newUploader(uploading{s.c.o.Destination, s}, s.partSize, func(part io.Reader) ([]byte, func()) {
		content, giveBack, err := s.next(ctx, part)
		if err != nil {
			s.fail(err)
			return nil, func() {}
		}
		return content, giveBack
	})
	_, err := uploader.Upload(ctx, &s3.PutObjectInput{ //nolint:staticcheck // as newUploader says
		Bucket: &s.c.o.DestinationPlace.Bucket, Key: &s.key, Body: io.NewSectionReader(s, 0, s.object.Size),
	})
	return err
}

// newUploader returns an uploader of parts of exactly that size.
//
//nolint:staticcheck // what supersedes it, feature/s3/transfermanager, makes no promises yet: it is a v0
func newUploader(destination manager.UploadAPIClient, partSize int64, parts provider) *manager.Uploader {
	return manager.NewUploader(destination, func(m *manager.Uploader) {
		m.PartSize, m.Concurrency, m.BufferProvider = partSize, streamWriters, parts
		// For an object of just as many parts as this allows, it would make them larger.
		m.MaxUploadParts = transfer.MaxParts + 1
		// The upload is settled where every other is, which may be to keep it.
		m.LeavePartsOnError = true
	})
}

// next reads the next part.
func (s *stream) next(ctx context.Context, part io.Reader) (content []byte, giveBack func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	length := min(s.partSize, s.object.Size-s.at)
	if err := s.c.waitBytes(ctx, length); err != nil {
		return nil, nil, err
	}
	content, giveBack, err = s.c.memory.borrow(ctx, length)
	if err != nil {
		return nil, nil, err
	}
	err = s.c.guard(s.object.Key, func() error { // the uploader does not outlive a panic
		return s.c.withSlot(ctx, func(ctx context.Context) error {
			defer context.AfterFunc(ctx, s.stop)()
			return s.fill(part, content)
		})
	})
	if err != nil {
		giveBack()
		return nil, nil, err
	}
	return content, giveBack, nil
}

func (s *stream) fill(part io.Reader, content []byte) error {
	_, err := io.ReadFull(part, content)
	if err == nil && s.at == s.object.Size {
		err = ended(s.body)
	}
	if awserr.Classify(err) == awserr.Transient {
		return fmt.Errorf("%w at byte %d: %w", errCut, s.at, err)
	}
	return err
}

// ReadAt reads on. The parts are read in their order, one after the other, so that there is no other place to read at.
func (s *stream) ReadAt(p []byte, offset int64) (int, error) {
	if offset != s.at {
		return 0, fmt.Errorf("read at byte %d of a stream that stands at %d", offset, s.at)
	}
	n, err := io.ReadFull(s.body, p)
	s.at += int64(n)
	return n, err
}

// provider reads the parts of a stream into memory that is borrowed, so that the uploader needs none of its own.
type provider func(part io.Reader) (content []byte, giveBack func())

// GetWriteTo returns the content of a part, and what to call when it was sent.
func (p provider) GetWriteTo(part io.ReadSeeker) (manager.ReadSeekerWriteTo, func()) {
	content, giveBack := p(part)
	return &filled{bytes.NewReader(content), content}, giveBack
}

// filled is a part that was read.
type filled struct {
	*bytes.Reader
	content []byte
}

// uploading is the destination as the uploader is shown it: the upload that was begun, and that waits for its parts.
type uploading struct {
	destinationAPI
	s *stream
}

// CreateMultipartUpload names the upload that was begun.
func (u uploading) CreateMultipartUpload(context.Context, *s3.CreateMultipartUploadInput, ...func(*s3.Options)) (*s3.CreateMultipartUploadOutput, error) {
	return &s3.CreateMultipartUploadOutput{UploadId: &u.s.id}, nil
}

// UploadPart sends a part, unless an earlier stream or process made the very same. It is called by goroutines of the uploader.
func (u uploading) UploadPart(ctx context.Context, in *s3.UploadPartInput, _ ...func(*s3.Options)) (out *s3.UploadPartOutput, err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	err = u.s.c.guard(u.s.object.Key, func() (err error) {
		out, err = u.s.write(ctx, *in.PartNumber, in.Body.(*filled).content)
		return err
	})
	if err != nil {
		u.s.fail(err)
		return nil, err
	}
	return out, nil
}

// write sends a part that was read.
func (s *stream) write(ctx context.Context, number int32, content []byte) (*s3.UploadPartOutput, error) {
	made := &s.parts[number-1]
	if made.PartNumber == nil || aws.ToString(made.ChecksumCRC64NVME) != encode(s.c.crc.sum(content)) {
		err := s.c.withSlot(ctx, func(ctx context.Context) (err error) {
			*made, err = s.sendPart(ctx, number, content)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return &s3.UploadPartOutput{ETag: made.ETag, ChecksumCRC64NVME: made.ChecksumCRC64NVME}, nil
}

// CompleteMultipartUpload does nothing: what the parts make is held to the source's checksum first.
func (u uploading) CompleteMultipartUpload(context.Context, *s3.CompleteMultipartUploadInput, ...func(*s3.Options)) (*s3.CompleteMultipartUploadOutput, error) {
	return &s3.CompleteMultipartUploadOutput{}, nil
}

var _ manager.UploadAPIClient = uploading{}
