package checkpoint

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
)

const (
	// readWindow is how much one request reads of a record. A row group of a chunk
	// has about as much, so that going through its columns side by side finds
	// nearly everything in memory.
	readWindow = 4 << 20

	// readWindows is how many windows an open record keeps.
	readWindows = 4
)

// Open opens a record and reads its first window. All that is read later comes
// from the same version of the object (If-Match).
func (s *S3) Open(ctx context.Context, name string) (Chunk, error) {
	key, err := s.key(ctx, name)
	if err != nil {
		return nil, err
	}
	c := &objectChunk{ctx: ctx, store: s, name: name, key: key, size: -1}
	first, err := c.fetch(0)
	if awserr.Code(err) == "InvalidRange" { // no byte can be asked for of an empty object
		data, out, err := s.readObject(ctx, key)
		if err != nil {
			return nil, err
		}
		c.size, c.etag, c.windows = int64(len(data)), out.ETag, []window{{data: data}}
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	c.windows = []window{first}
	return c, nil
}

// objectChunk is an open record on S3. It keeps the windows used last.
type objectChunk struct {
	ctx   context.Context //nolint:containedctx // of the Open it came from; io.ReaderAt takes none
	store *S3
	name  string
	key   string
	etag  *string
	size  int64 // -1 until the first answer

	mu      sync.Mutex
	windows []window // last used first
}

// window is a part of an object that begins at a multiple of readWindow.
type window struct {
	start int64
	data  []byte
}

func (c *objectChunk) Size() int64  { return c.size }
func (c *objectChunk) Close() error { return nil }

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
		w, err := c.window(at - at%readWindow)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], w.data[at-w.start:])
	}
	return n, nil
}

// window returns the window that begins at start. The caller holds c.mu.
func (c *objectChunk) window(start int64) (w window, err error) {
	i := slices.IndexFunc(c.windows, func(w window) bool { return w.start == start })
	if i >= 0 {
		w = c.windows[i]
		c.windows = slices.Delete(c.windows, i, i+1)
	} else if w, err = c.fetch(start); err != nil {
		return w, err
	}
	c.windows = slices.Insert(c.windows[:min(len(c.windows), readWindows-1)], 0, w)
	return w, nil
}

// fetch reads a window.
func (c *objectChunk) fetch(start int64) (w window, err error) {
	for range bodyTries {
		w, err = c.fetchOnce(start)
		if !errors.Is(err, errCut) {
			break
		}
	}
	return w, err
}

// errCut reports a body that ended before its time.
var errCut = errors.New("body was cut")

func (c *objectChunk) fetchOnce(start int64) (window, error) {
	out, err := body.GetObject(c.ctx, c.store.client, &s3.GetObjectInput{
		Bucket: &c.store.options.Bucket, Key: &c.key, ExpectedBucketOwner: c.store.owner(), IfMatch: c.etag,
		Range: aws.String(fmt.Sprintf("bytes=%d-%d", start, start+readWindow-1)),
	})
	if awserr.Classify(err) == awserr.Precondition {
		return window{}, &CorruptError{Name: c.name, Problem: "was replaced while it was read", Err: err}
	}
	if err != nil {
		return window{}, c.store.failed("read", c.key, err)
	}
	var from, to, size int64
	_, err = fmt.Sscanf(strings.TrimSpace(aws.ToString(out.ContentRange)), "bytes %d-%d/%d", &from, &to, &size)
	if want := min(start+readWindow, size); err != nil || from != start || to+1 != want || c.size >= 0 && c.size != size {
		err = fmt.Errorf("got range %q of %d-%d", aws.ToString(out.ContentRange), start, want-1)
		return window{}, c.store.failed("read", c.key, errors.Join(err, out.Body.Close()))
	}
	c.size, c.etag = size, out.ETag
	data := make([]byte, to+1-from)
	_, err = io.ReadFull(out.Body, data)
	err = errors.Join(err, out.Body.Close())
	if err != nil && c.ctx.Err() == nil {
		err = fmt.Errorf("%w: %w", errCut, err)
	}
	if err != nil {
		return window{}, c.store.failed("read", c.key, err)
	}
	return window{start, data}, nil
}
