package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"syncd/internal/awserr"
	"syncd/internal/body"
	"syncd/internal/checkpoint/store"
)

// wholeRecord is the size in bytes up to which Open reads the whole record.
const wholeRecord = 1 << 20

// Open opens a record, and reads it if it is small. Later reads request the same version of the
// object (If-Match).
func (s *Store) Open(ctx context.Context, name string) (store.Record, error) {
	key, err := s.key(ctx, name)
	if err != nil {
		return nil, err
	}
	c := &objectChunk{ctx: ctx, store: s, name: name, key: key, size: -1}
	if err = retried(c.begin); err == nil {
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

// objectChunk is an open record on S3. It keeps one part of the record at a time in memory, in a
// window.
type objectChunk struct {
	ctx   context.Context //nolint:containedctx // context of Open or of the last Bind; io.ReaderAt accepts none
	store *Store
	name  string
	key   string
	etag  *string
	size  int64 // -1 until the first response

	mu       sync.Mutex
	expected []store.Span
	lent     []byte     // memory of the window; its length is that of the longest span so far
	held     store.Span // span of the record that is in the window
}

func (c *objectChunk) Size() int64 { return c.size }

// Bind replaces the context of later reads with ctx.
func (c *objectChunk) Bind(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ctx = ctx
}

// Close frees the window.
func (c *objectChunk) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.release()
	return nil
}

// Expect announces the parts that will be read. Each part is fetched in one request when it is
// first read, if a window is available.
func (c *objectChunk) Expect(parts []store.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == (store.Span{Start: 0, End: c.size}) {
		return // the whole record is in memory
	}
	c.release()
	c.expected = parts
}

func (c *objectChunk) release() {
	c.store.windows.giveBack(c.lent)
	c.lent, c.held = nil, store.Span{}
}

// ReadAt reads at any offset.
func (c *objectChunk) ReadAt(p []byte, offset int64) (n int, err error) {
	if offset < 0 {
		return 0, fmt.Errorf("read %s: negative offset", c.store.uri(c.key))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for n < len(p) {
		at := offset + int64(n)
		if at >= c.size {
			return n, io.EOF
		}
		if err := c.move(at); err != nil {
			return n, err
		}
		if c.held.Has(at) {
			n += copy(p[n:], c.lent[at-c.held.Start:c.held.End-c.held.Start])
			continue
		}
		rest := p[n:min(int64(len(p)), int64(n)+c.size-at)]
		if err := c.fetch(rest, at); err != nil {
			return n, err
		}
		n += len(rest)
	}
	return n, nil
}

// move moves the window to the expected part around an offset, if there is one and a window is
// available.
func (c *objectChunk) move(at int64) error {
	if c.held.Has(at) {
		return nil
	}
	i := slices.IndexFunc(c.expected, func(s store.Span) bool { return s.Has(at) })
	if i < 0 {
		return nil
	}
	next := c.expected[i]
	if c.held = (store.Span{}); next.Length() > int64(len(c.lent)) {
		c.release()
		c.lent = c.store.windows.lend(next.Length())
	}
	if c.lent == nil {
		return nil
	}
	err := c.fetch(c.lent[:next.Length()], next.Start)
	if err == nil {
		c.held = next
	}
	return err
}

// begin gets the size and version of the object, and reads it if it is small.
func (c *objectChunk) begin() error {
	body, n, err := c.ask(store.Span{Start: 0, End: wholeRecord})
	if err != nil {
		return err
	}
	c.lent = c.store.windows.lend(n)
	err = c.receive(body, c.lent)
	if err != nil {
		c.release()
	}
	c.held = store.Span{Start: 0, End: int64(len(c.lent))}
	return err
}

// fetch fills p with the bytes of the object from an offset.
func (c *objectChunk) fetch(p []byte, start int64) error {
	return retried(func() error {
		body, n, err := c.ask(store.Span{Start: start, End: start + int64(len(p))})
		if err != nil {
			return err
		}
		return c.receive(body, p[:n])
	})
}

// WriteTo writes the whole record. It streams the bytes that Open has not read, so they are not
// kept in memory.
func (c *objectChunk) WriteTo(w io.Writer) (written int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held.Start == 0 {
		n, err := w.Write(c.lent[:c.held.End])
		if written = int64(n); err != nil {
			return written, err
		}
	}
	err = retried(func() error {
		if written == c.size {
			return nil
		}
		body, n, err := c.ask(store.Span{Start: written, End: c.size})
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

// ask requests a part of the object. It returns the body and its length. If the part extends beyond
// the end of the object, the body is shorter than the part.
func (c *objectChunk) ask(part store.Span) (content io.ReadCloser, n int64, err error) {
	out, err := body.GetObject(c.ctx, c.store.client, &s3.GetObjectInput{
		Bucket: &c.store.options.Place.Bucket, Key: &c.key, ExpectedBucketOwner: c.store.options.Place.ExpectedOwner(), IfMatch: c.etag,
		Range: aws.String(fmt.Sprintf("bytes=%d-%d", part.Start, part.End-1)),
	})
	if awserr.Classify(err) == awserr.Precondition {
		return nil, 0, &store.CorruptError{Name: c.name, Problem: "was replaced while it was read", Err: err}
	}
	if err != nil {
		return nil, 0, c.store.failed("read", c.key, err)
	}
	var from, to, size int64
	_, err = fmt.Sscanf(strings.TrimSpace(aws.ToString(out.ContentRange)), "bytes %d-%d/%d", &from, &to, &size)
	if want := min(part.End, size); err != nil || from != part.Start || to+1 != want || c.size >= 0 && c.size != size {
		err = fmt.Errorf("response has range %q instead of bytes %d-%d", aws.ToString(out.ContentRange), part.Start, want-1)
		return nil, 0, c.store.failed("read", c.key, errors.Join(err, out.Body.Close()))
	}
	c.size, c.etag = size, out.ETag
	return out.Body, to + 1 - from, nil
}
