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

// wholeRecord is up to which size a record is read at once when it is opened, in bytes.
const wholeRecord = 1 << 20

// Open opens a record, and reads it where it is small. All that is read later comes from the same
// version of the object (If-Match).
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
	data, out, err := s.readObject(ctx, key) // no byte can be asked for of an empty object
	if err != nil {
		return nil, err
	}
	if c.size, c.etag = int64(len(data)), out.ETag; c.size > 0 {
		return nil, s.failed("read", key, errors.New("it is not empty, and has no bytes"))
	}
	return c, nil
}

// objectChunk is an open record on S3. It holds one part of it at a time, in a window.
type objectChunk struct {
	ctx   context.Context //nolint:containedctx // of the Open it came from, or the last Bind; io.ReaderAt takes none
	store *Store
	name  string
	key   string
	etag  *string
	size  int64 // -1 until the first answer

	mu       sync.Mutex
	expected []store.Span
	lent     []byte     // as long as the longest span
	held     store.Span // what is in it
}

func (c *objectChunk) Size() int64 { return c.size }

// Bind has what is read from now on end with ctx.
func (c *objectChunk) Bind(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ctx = ctx
}

// Close gives the window back.
func (c *objectChunk) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.release()
	return nil
}

// Expect has each of the parts fetched in one request when it is read from, as long as there is a
// window for it.
func (c *objectChunk) Expect(parts []store.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == (store.Span{Start: 0, End: c.size}) {
		return // nothing will be fetched any more
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

// move brings the window to the part that is expected to be read around an offset, where there is
// one and a window is free.
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

// begin learns the size and the version of the object, and reads it when it is small.
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

// fetch reads from an offset as many bytes as p has.
func (c *objectChunk) fetch(p []byte, start int64) error {
	return retried(func() error {
		body, n, err := c.ask(store.Span{Start: start, End: start + int64(len(p))})
		if err != nil {
			return err
		}
		return c.receive(body, p[:n])
	})
}

// WriteTo writes the whole record, of which it holds no more than Open has read.
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

// errCut reports a body that ended before its time.
var errCut = errors.New("body was cut")

// retried repeats requests whose body was cut; others the SDK has repeated.
func retried(request func() error) (err error) {
	for range bodyTries {
		if err = request(); !errors.Is(err, errCut) {
			break
		}
	}
	return err
}

// cut says what became of a body.
func (c *objectChunk) cut(err error) error {
	if err == nil {
		return nil
	}
	if c.ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", errCut, err)
	}
	return c.store.failed("read", c.key, err)
}

// receive fills p from a body and closes it.
func (c *objectChunk) receive(body io.ReadCloser, p []byte) error {
	_, err := io.ReadFull(body, p)
	return c.cut(errors.Join(err, body.Close()))
}

// ask requests a part of the object, and returns its body with how many bytes it will have: fewer
// than asked for at the end of the object.
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
		err = fmt.Errorf("got range %q of %d-%d", aws.ToString(out.ContentRange), part.Start, want-1)
		return nil, 0, c.store.failed("read", c.key, errors.Join(err, out.Body.Close()))
	}
	c.size, c.etag = size, out.ETag
	return out.Body, to + 1 - from, nil
}
