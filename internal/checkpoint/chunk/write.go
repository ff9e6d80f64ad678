package chunk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// Item is what a new generation is made of: a row to write, or a chunk of the generation before
// that stands as it is.
type Item[R Row] struct {
	Row   R // when Whole is nil
	whole *record.Chunk
}

// Writer writes and names the new chunks of one pass. The nonce in the names keeps two writers of
// the same pass from meeting.
type Writer struct {
	Store      store.Store // where chunks are written
	Mapping    string      // whose they are
	Generation int64       // that they are for
	Nonce      string      // that no other writer has
	MaxRows    int64       // of a chunk, at most
	Encoders   *Encoders   // that compress them

	written int
}

func (w *Writer) name(prefix string) string {
	w.written++
	return fmt.Sprintf("%s/%s%010d-%s-%06d%s", w.Mapping, prefix, w.Generation, w.Nonce, w.written, record.ChunkSuffix)
}

// Write writes the rows among items as chunks of at most maxRows and returns all chunks in order,
// those that stand as they are among them.
func Write[R Row](
	ctx context.Context, w *Writer, prefix string, items iter.Seq2[Item[R], error],
) ([]record.Chunk, error) {
	next, stop := iter.Pull2(items)
	defer stop()
	f := feed[R]{next: next}
	f.advance()
	var chunks []record.Chunk
	for f.ok && f.err == nil {
		if f.head.whole != nil {
			chunks = append(chunks, *f.head.whole)
			f.advance()
			continue
		}
		info, err := writeChunk(ctx, w, w.name(prefix), &f)
		if err != nil {
			return nil, err
		}
		chunks = append(chunks, info)
	}
	return chunks, f.err
}

// feed is a sequence of items that can be looked at before they are taken.
type feed[R Row] struct {
	next func() (Item[R], error, bool)
	head Item[R]
	err  error
	ok   bool
}

func (f *feed[R]) advance() { f.head, f.err, f.ok = f.next() }

// writeChunk creates one chunk of the rows at the head of f.
func writeChunk[R Row](ctx context.Context, w *Writer, name string, f *feed[R]) (record.Chunk, error) {
	info := record.Chunk{Name: name}
	err := w.Store.Create(ctx, name, func(out io.Writer) error {
		sum := sha256.New()
		size := counter(0)
		err := writeRows(io.MultiWriter(out, sum, &size), w, &info, f)
		info.Bytes, info.SHA256 = int64(size), hex.EncodeToString(sum.Sum(nil))
		return err
	})
	if err != nil {
		return record.Chunk{}, fmt.Errorf("write chunk: %w", err)
	}
	return info, nil
}

func writeRows[R Row](out io.Writer, w *Writer, info *record.Chunk, f *feed[R]) error {
	file := newWriter[R](w.Encoders, out)
	buf := make([]R, 0, rowsPerWrite)
	for f.ok && f.err == nil && f.head.whole == nil && info.Entries < w.MaxRows {
		if err := countIn(info, f.head.Row.sortKey()); err != nil {
			return err
		}
		buf = append(buf, f.head.Row)
		if len(buf) == cap(buf) {
			if _, err := file.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
		f.advance()
	}
	_, err := file.Write(buf)
	// A feed that failed must fail the write, so that the chunk is not created.
	return errors.Join(f.err, err, file.Close())
}

// counter counts the bytes written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// countIn counts a row in. Order is what readers rely on, so it is never assumed.
func countIn(c *record.Chunk, key string) error {
	if c.Entries > 0 && key <= c.LastKey {
		return fmt.Errorf("BUG: key %q follows %q", key, c.LastKey)
	}
	if c.Entries == 0 {
		c.FirstKey = key
	}
	c.LastKey = key
	c.Entries++
	return nil
}
