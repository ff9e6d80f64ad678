package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/parquet-go/parquet-go"
)

// rows reads one chunk, in order, a few rows at a time.
type rows[R row] struct {
	name   string
	chunk  Chunk
	reader *parquet.GenericReader[R]
	buf    []R
	pos, n int
	left   int64 // rows not taken yet
}

// openRows opens a verified chunk at the first row whose key is above after.
func openRows[R row](ctx context.Context, store Store, info ChunkInfo, after string) (*rows[R], error) {
	chunk, err := openChunk(ctx, store, info)
	if err != nil {
		return nil, err
	}
	file, err := parquet.OpenFile(chunk, info.Bytes, parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, errors.Join(&CorruptError{Name: info.Name, Problem: "is not Parquet", Err: err}, chunk.Close())
	}
	if got := file.NumRows(); got != info.Entries {
		return nil, errors.Join(&CorruptError{
			Name: info.Name, Problem: fmt.Sprintf("has %d rows, not %d", got, info.Entries),
		}, chunk.Close())
	}
	r := &rows[R]{
		name: info.Name, chunk: chunk, reader: parquet.NewGenericReader[R](file),
		buf: make([]R, min(rowsPerRead, info.Entries)), left: info.Entries,
	}
	if after >= info.FirstKey {
		if err := r.seek(ctx, file, after); err != nil {
			return nil, errors.Join(err, r.close())
		}
	}
	return r, nil
}

// seek finds the row group by its first key, then walks the rest.
func (r *rows[R]) seek(ctx context.Context, file *parquet.File, after string) error {
	starts := make([]int64, 0, len(file.RowGroups()))
	start := int64(0)
	for _, group := range file.RowGroups() {
		starts = append(starts, start)
		start += group.NumRows()
	}
	low, high := 0, len(starts)
	for low+1 < high {
		middle := (low + high) / 2
		first, err := r.at(ctx, starts[middle])
		if err != nil {
			return err
		}
		if first.sortKey() > after {
			high = middle
		} else {
			low = middle
		}
	}
	head, err := r.at(ctx, starts[low])
	for err == nil && head.sortKey() <= after {
		r.take()
		head, err = r.head(ctx)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (r *rows[R]) at(ctx context.Context, index int64) (head R, err error) {
	if err := r.reader.SeekToRow(index); err != nil {
		return head, r.damaged(err)
	}
	r.pos, r.n, r.left = 0, 0, r.reader.NumRows()-index
	return r.head(ctx)
}

// head returns the next row without taking it; io.EOF at the end.
func (r *rows[R]) head(ctx context.Context) (head R, err error) {
	if r.left == 0 {
		return head, io.EOF
	}
	for r.pos == r.n {
		if err := ctx.Err(); err != nil {
			return head, err
		}
		n, err := r.reader.Read(r.buf)
		if n == 0 && err != nil {
			return head, r.damaged(err)
		}
		r.pos, r.n = 0, n
	}
	return r.buf[r.pos], nil
}

// take passes over the row that head returned.
func (r *rows[R]) take() {
	r.pos++
	r.left--
}

func (r *rows[R]) damaged(err error) error { return fmt.Errorf("read rows of %s: %w", r.name, err) }

func (r *rows[R]) close() error { return errors.Join(r.reader.Close(), r.chunk.Close()) }

// readRows yields the rows of chunks with keys above after, one chunk open at a time.
func readRows[R row](ctx context.Context, store Store, chunks []ChunkInfo, after string) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		c := newWalker[R](store, chunks, after)
		defer func() { _ = c.close() }() // read only: nothing is lost
		for {
			head, err := c.head(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if !yield(head, err) || err != nil {
				return
			}
			c.take()
		}
	}
}
