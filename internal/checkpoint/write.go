package checkpoint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
)

// item is what a new generation is made of: a row to write, or a chunk of the
// generation before that stands as it is.
type item[R row] struct {
	row   R
	whole *ChunkInfo
}

// chunkWriter writes and names the new chunks of one pass. The nonce in the
// names keeps two writers of the same pass from meeting.
type chunkWriter struct {
	store      Store
	mapping    string
	generation int64
	nonce      string
	written    int
	maxRows    int64
	encoders   *Encoders
}

func (w *chunkWriter) name(prefix string) string {
	w.written++
	return fmt.Sprintf("%s/%s%010d-%s-%06d%s", w.mapping, prefix, w.generation, w.nonce, w.written, chunkSuffix)
}

// writeItems writes the rows among items as chunks of at most maxRows and
// returns all chunks in order, those that stand as they are among them.
func writeItems[R row](
	ctx context.Context, w *chunkWriter, prefix string, items iter.Seq2[item[R], error],
) ([]ChunkInfo, error) {
	next, stop := iter.Pull2(items)
	defer stop()
	f := feed[R]{next: next}
	f.advance()
	var chunks []ChunkInfo
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
type feed[R row] struct {
	next func() (item[R], error, bool)
	head item[R]
	err  error
	ok   bool
}

func (f *feed[R]) advance() { f.head, f.err, f.ok = f.next() }

// writeChunk creates one chunk of the rows at the head of f.
func writeChunk[R row](ctx context.Context, w *chunkWriter, name string, f *feed[R]) (ChunkInfo, error) {
	info := ChunkInfo{Name: name}
	err := w.store.Create(ctx, name, func(out io.Writer) error {
		sum := sha256.New()
		size := counter(0)
		err := writeRows(io.MultiWriter(out, sum, &size), w, &info, f)
		info.Bytes, info.SHA256 = int64(size), hex.EncodeToString(sum.Sum(nil))
		return err
	})
	if err != nil {
		return ChunkInfo{}, fmt.Errorf("write chunk: %w", err)
	}
	return info, nil
}

func writeRows[R row](out io.Writer, w *chunkWriter, info *ChunkInfo, f *feed[R]) error {
	file := newWriter[R](w.encoders, out)
	buf := make([]R, 0, rowsPerWrite)
	for f.ok && f.err == nil && f.head.whole == nil && info.Entries < w.maxRows {
		if err := countIn(info, f.head.row.sortKey()); err != nil {
			return err
		}
		buf = append(buf, f.head.row)
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
func countIn(c *ChunkInfo, key string) error {
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
