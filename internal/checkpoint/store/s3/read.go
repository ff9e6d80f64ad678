package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awserr"
	"syncd/internal/body"
	"syncd/internal/checkpoint/store"
)

// endBytes is how many bytes from the end of a record Open reads by default, and at most.
const endBytes = 256 << 10

// Open opens a record, and reads its end. Later reads request the same version of the object
// (If-Match).
func (s *Store) Open(ctx context.Context, name string, end int64) (store.Record, error) {
	key, err := s.key(ctx, name)
	if err != nil {
		return nil, err
	}
	c := &objectChunk{ctx: ctx, store: s, name: name, key: key, size: -1}
	if end == 0 {
		end = endBytes
	}
	if err = retried(func() error { return c.begin(min(end, endBytes)) }); err == nil {
		return c, nil
	}
	if awserr.Code(err) != "InvalidRange" {
		return nil, err
	}
	data, out, err := s.readObject(ctx, key) // S3 refuses a range of an empty object
	if err != nil {
		return nil, err
	}
	if c.size, c.etag = int64(len(data)), out.ETag; c.size > 0 {
		return nil, s.failed("read", key, errors.New("object is not empty, but S3 returned no bytes"))
	}
	return c, nil
}

// objectChunk is an open record on S3. It keeps the end that Open read until a read needs other
// bytes. Each read of other bytes is one request.
type objectChunk struct {
	ctx   context.Context //nolint:containedctx // context of Open or of the last Bind; io.ReaderAt accepts none
	store *Store
	name  string
	key   string
	etag  *string
	size  int64 // -1 until the first response

	mu  sync.Mutex
	end []byte // the last bytes of the record, nil for none
}

func (c *objectChunk) Size() int64 { return c.size }

// Bind replaces the context of later reads with ctx.
func (c *objectChunk) Bind(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ctx = ctx
}

// Close frees the memory of the record.
func (c *objectChunk) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end = nil
	return nil
}

// ReadAt reads at any offset, in one request at most.
func (c *objectChunk) ReadAt(p []byte, offset int64) (n int, err error) {
	if offset < 0 {
		return 0, fmt.Errorf("read %s: negative offset", c.store.uri(c.key))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	wanted := p[:max(0, min(int64(len(p)), c.size-offset))]
	switch at := offset - (c.size - int64(len(c.end))); {
	case len(wanted) == 0:
	case at >= 0:
		copy(wanted, c.end[at:])
	default:
		c.end = nil
		if err := c.fetch(wanted, offset); err != nil {
			return 0, err
		}
	}
	if len(wanted) < len(p) {
		return len(wanted), io.EOF
	}
	return len(p), nil
}

// begin gets the size and version of the object, and reads its end.
func (c *objectChunk) begin(end int64) error {
	body, n, err := c.ask(fmt.Sprintf("bytes=-%d", end), func(size int64) store.Span {
		return store.Span{Start: max(0, size-end), End: size}
	})
	if err != nil {
		return err
	}
	c.end = make([]byte, n)
	return c.receive(body, c.end)
}

// request requests a part of the object.
func (c *objectChunk) request(part store.Span) (content io.ReadCloser, n int64, err error) {
	return c.ask(fmt.Sprintf("bytes=%d-%d", part.Start, part.End-1), func(int64) store.Span { return part })
}

// fetch fills p with the bytes of the object from an offset.
func (c *objectChunk) fetch(p []byte, start int64) error {
	return retried(func() error {
		body, _, err := c.request(store.Span{Start: start, End: start + int64(len(p))})
		if err != nil {
			return err
		}
		return c.receive(body, p)
	})
}

// WriteTo writes the whole record. It streams the bytes, so they are not kept in memory, unless
// Open has read them all.
func (c *objectChunk) WriteTo(w io.Writer) (written int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if int64(len(c.end)) == c.size {
		n, err := w.Write(c.end)
		return int64(n), err
	}
	c.end = nil
	err = retried(func() error {
		if written == c.size {
			return nil
		}
		body, n, err := c.request(store.Span{Start: written, End: c.size})
		if err != nil {
			return err
		}
		n, err = io.CopyN(w, body, n)
		written += n
		return c.cut(errors.Join(err, body.Close()))
	})
	return written, err
}

// errCut reports a body that ended early.
var errCut = errors.New("body was cut short")

// retried repeats a request whose body was cut. The SDK retries other failures.
func retried(request func() error) (err error) {
	for range bodyTries {
		if err = request(); !errors.Is(err, errCut) {
			break
		}
	}
	return err
}

// cut returns the error for a body that could not be read.
func (c *objectChunk) cut(err error) error {
	if err == nil {
		return nil
	}
	if c.ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", errCut, err)
	}
	return c.store.failed("read", c.key, err)
}

// receive fills p from a body and closes the body.
func (c *objectChunk) receive(body io.ReadCloser, p []byte) error {
	_, err := io.ReadFull(body, p)
	return c.cut(errors.Join(err, body.Close()))
}

// ask requests a part of the object, as described by the Range header and, given the size of the
// object, by the func want. It returns the body and its length.
func (c *objectChunk) ask(header string, want func(size int64) store.Span) (content io.ReadCloser, n int64, err error) {
	out, err := body.GetObject(c.ctx, c.store.client, &s3.GetObjectInput{
		Bucket: &c.store.options.Place.Bucket, Key: &c.key, ExpectedBucketOwner: c.store.options.Place.ExpectedOwner(), IfMatch: c.etag,
		Range: &header,
	})
	if awserr.Classify(err) == awserr.Precondition {
		return nil, 0, &store.CorruptError{Name: c.name, Problem: "was replaced while it was read", Err: err}
	}
	if err != nil {
		return nil, 0, c.store.failed("read", c.key, err)
	}
	var from, to, size int64
	_, err = fmt.Sscanf(strings.TrimSpace(aws.ToString(out.ContentRange)), "bytes %d-%d/%d", &from, &to, &size)
	if part := want(size); err != nil || from != part.Start || to+1 != part.End || c.size >= 0 && c.size != size {
		err = fmt.Errorf("response to range %q has range %q", header, aws.ToString(out.ContentRange))
		return nil, 0, c.store.failed("read", c.key, errors.Join(err, out.Body.Close()))
	}
	c.size, c.etag = size, out.ETag
	return out.Body, to + 1 - from, nil
}
