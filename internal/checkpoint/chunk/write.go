package chunk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"

	"github.com/parquet-go/parquet-go"
)

// Item is a part of a new generation: a row to write, or a chunk to include unchanged.
type Item[R Row] struct {
	Row   R // if whole is nil
	whole *record.Chunk
}

// Items yields rows as items.
func Items[R Row](rows []R) iter.Seq2[Item[R], error] {
	return func(yield func(Item[R], error) bool) {
		for _, row := range rows {
			if !yield(Item[R]{Row: row}, nil) {
				return
			}
		}
	}
}

// Writer writes and names the new chunks of one pass. The nonce in the names prevents conflicts
// between two writers of the same pass.
type Writer struct {
	Store      store.Store // where chunks are written
	Mapping    string      // name of the mapping
	Generation int64       // generation that the chunks are for
	Nonce      string      // unique to this writer
	MaxRows    int64       // maximum number of rows in a chunk
	Encoders   *Encoders   // compress the chunks

	written int
}

func (w *Writer) name(prefix string) string {
	w.written++
	return fmt.Sprintf("%s/%s%010d-%s-%06d%s", w.Mapping, prefix, w.Generation, w.Nonce, w.written, record.ChunkSuffix)
}

// Write writes the rows in items as chunks of at most w.MaxRows rows. It returns the new chunks and
// the unchanged chunks in items, in order.
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

// feed is a sequence of items whose next item can be inspected before it is taken.
type feed[R Row] struct {
	next func() (Item[R], error, bool)
	head Item[R]
	err  error
	ok   bool
}

func (f *feed[R]) advance() { f.head, f.err, f.ok = f.next() }

// writeChunk creates one chunk from the rows at the head of f.
func writeChunk[R Row](ctx context.Context, w *Writer, name string, f *feed[R]) (record.Chunk, error) {
	info := record.Chunk{Name: name}
	err := w.Store.Create(ctx, name, func(out io.Writer) error {
		return writeRows(newSealer(out), w, &info, f)
	})
	if err != nil {
		return record.Chunk{}, fmt.Errorf("write chunk: %w", err)
	}
	return info, nil
}

// writeRows writes rows until the feed ends or the chunk is full.
func writeRows[R Row](out *sealer, w *Writer, info *record.Chunk, f *feed[R]) error {
	file := newWriter[R](w.Encoders, out)
	buf := make([]R, 0, rowsPerWrite)
	rows, size := 0, 0 // of the row group
	for f.ok && f.err == nil && f.head.whole == nil && info.Entries < w.MaxRows {
		if err := countIn(info, f.head.Row.sortKey()); err != nil {
			return err
		}
		buf = append(buf, f.head.Row)
		rows, size = rows+1, size+f.head.Row.bytes()
		if len(buf) == cap(buf) {
			if _, err := file.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
		f.advance()
		if rows == rowsPerGroup || size >= bytesPerGroup {
			if err := endGroup(file, out, buf); err != nil {
				return err
			}
			buf, rows, size = buf[:0], 0, 0
		}
	}
	if f.err != nil {
		return errors.Join(f.err, file.Close()) // so that the chunk is not created
	}
	if rows > 0 {
		if err := endGroup(file, out, buf); err != nil {
			return err
		}
	}
	if err := file.Close(); err != nil {
		return err
	}
	return out.finish(info)
}

// endGroup writes the last rows of a row group and ends it.
func endGroup[R Row](file *parquet.GenericWriter[R], out *sealer, rows []R) error {
	if _, err := file.Write(rows); err != nil {
		return err
	}
	if err := file.Flush(); err != nil {
		return err
	}
	return out.endGroup()
}

// countIn counts a row. It checks the order, because readers rely on it.
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
