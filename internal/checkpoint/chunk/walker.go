package chunk

import (
	"context"
	"errors"
	"io"
	"sort"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// Walker reads the rows of a generation's chunks in key order, forward only, with at most one chunk
// open. It does not open chunks that the caller skips.
type Walker[R Row] struct {
	store  store.Store
	chunks []record.Chunk // remaining chunks; the first may be open
	after  string         // rows up to this key are skipped; only used for the first chunk
	open   *rows[R]
}

// NewWalker returns a walker at the first row with a key above after.
func NewWalker[R Row](store store.Store, chunks []record.Chunk, after string) *Walker[R] {
	first := sort.Search(len(chunks), func(i int) bool { return chunks[i].LastKey > after })
	return &Walker[R]{store: store, chunks: chunks[first:], after: after}
}

// whole returns the next chunk if none of its rows was taken or skipped, so that a new generation
// can include the chunk unchanged.
func (c *Walker[R]) whole() (record.Chunk, bool) {
	if c.open != nil || len(c.chunks) == 0 || c.chunks[0].FirstKey <= c.after {
		return record.Chunk{}, false
	}
	return c.chunks[0], true
}

// skipChunk skips the chunk that whole returned.
func (c *Walker[R]) skipChunk() { c.chunks = c.chunks[1:] }

// bound returns a key that is not higher than the next key. The result ok is false if no rows are
// left.
func (c *Walker[R]) bound() (key string, ok bool) {
	if len(c.chunks) == 0 {
		return "", false
	}
	if c.open != nil && c.open.any {
		return c.open.above, true
	}
	return c.chunks[0].FirstKey, true
}

// Head returns the next row without taking it, or io.EOF after the last chunk.
func (c *Walker[R]) Head(ctx context.Context) (head R, err error) {
	for len(c.chunks) > 0 {
		if c.open == nil {
			c.open, err = openRows[R](ctx, c.store, c.chunks[0], c.after)
			if err != nil {
				return head, err
			}
		}
		head, err = c.open.Head(ctx)
		if !errors.Is(err, io.EOF) {
			return head, err
		}
		c.nextChunk()
	}
	return head, io.EOF
}

// Take moves past the row that Head returned. After the last row of a chunk, the method whole
// returns the next chunk.
func (c *Walker[R]) Take() {
	c.open.Take()
	if c.open.left == 0 {
		c.nextChunk()
	}
}

func (c *Walker[R]) nextChunk() {
	_ = c.Close() // opened for reading, so a failed close loses no data
	c.chunks = c.chunks[1:]
}

// Close closes the open chunk, if there is one.
func (c *Walker[R]) Close() error {
	if c.open == nil {
		return nil
	}
	err := c.open.Close()
	c.open = nil
	return err
}
