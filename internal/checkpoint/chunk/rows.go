package chunk

import (
	"context"
	"errors"
	"fmt"
	"io"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"

	"github.com/parquet-go/parquet-go"
)

// rows reads one chunk in order, a few rows at a time. The checksum only proves that a chunk
// matches its manifest. A process that can write both could forge both, so the rows are checked as
// well.
type rows[R Row] struct {
	info   record.Chunk
	chunk  store.Record
	reader *parquet.GenericReader[R]
	buf    []R
	pos, n int
	left   int64  // number of rows not taken yet
	above  string // key of the last row taken
	any    bool   // whether a row was taken
}

// decoded runs a step of the Parquet reader. The reader panics on some invalid files, so decoded
// turns a panic into a CorruptError.
func decoded[T any](name string, step func() (T, error)) (value T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &store.CorruptError{Name: name, Problem: "cannot be decoded", Err: fmt.Errorf("%v", p)}
		}
	}()
	return step()
}

// openRows opens a verified chunk at the first row with a key above after.
func openRows[R Row](ctx context.Context, from store.Store, info record.Chunk, after string) (*rows[R], error) {
	chunk, err := open(ctx, from, info)
	if err != nil {
		return nil, err
	}
	file, err := decoded(info.Name, func() (*parquet.File, error) { return openParquet(chunk) })
	if err != nil {
		return nil, errors.Join(&store.CorruptError{Name: info.Name, Problem: "is not Parquet", Err: err}, chunk.Close())
	}
	if got := file.NumRows(); got != info.Entries || got < 1 {
		return nil, errors.Join(&store.CorruptError{
			Name: info.Name, Problem: fmt.Sprintf("has %d rows, not %d", got, info.Entries),
		}, chunk.Close())
	}
	chunk.Expect(spansOf[R](file))
	reader, err := decoded(info.Name, func() (*parquet.GenericReader[R], error) { return parquet.NewGenericReader[R](file), nil })
	if err != nil {
		return nil, errors.Join(err, chunk.Close())
	}
	r := &rows[R]{info: info, chunk: chunk, reader: reader, buf: make([]R, min(rowsPerRead, info.Entries)), left: info.Entries}
	if after >= info.FirstKey {
		if err := r.seek(ctx, file, after); err != nil {
			return nil, errors.Join(err, r.Close())
		}
	}
	return r, nil
}

// seek moves to the first row with a key above after. It finds the row group by its first key and
// then walks the rows of the group.
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
		r.Take()
		head, err = r.Head(ctx)
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func (r *rows[R]) at(ctx context.Context, index int64) (head R, err error) {
	r.chunk.Bind(ctx)
	_, err = decoded(r.info.Name, func() (int64, error) { return index, r.reader.SeekToRow(index) })
	if err != nil {
		return head, r.damaged(err)
	}
	r.pos, r.n, r.left, r.any = 0, 0, r.info.Entries-index, false
	return r.Head(ctx)
}

// Head returns the next row without taking it, or io.EOF at the end.
func (r *rows[R]) Head(ctx context.Context) (head R, err error) {
	if r.left == 0 {
		return head, io.EOF
	}
	for r.pos == r.n {
		if err := ctx.Err(); err != nil {
			return head, err
		}
		r.chunk.Bind(ctx)
		n, err := decoded(r.info.Name, func() (int, error) { return r.reader.Read(r.buf) })
		if n == 0 && err != nil {
			return head, r.damaged(err)
		}
		r.pos, r.n = 0, n
	}
	head = r.buf[r.pos]
	return head, r.misplaced(head.sortKey())
}

// misplaced returns an error if a row's key is out of order or outside the range in the manifest.
func (r *rows[R]) misplaced(key string) error {
	if key < r.info.FirstKey || key > r.info.LastKey || r.any && key <= r.above {
		return &store.CorruptError{Name: r.info.Name, Problem: fmt.Sprintf("has key %q out of order", key)}
	}
	return nil
}

// Take moves past the row that Head returned.
func (r *rows[R]) Take() {
	r.above, r.any = r.buf[r.pos].sortKey(), true
	r.pos++
	r.left--
}

// damaged returns the error for a failed read. An end of file before the last row is damage too.
func (r *rows[R]) damaged(err error) error {
	if errors.Is(err, io.EOF) {
		return &store.CorruptError{Name: r.info.Name, Problem: "ends before its last row"}
	}
	return fmt.Errorf("read rows of %s: %w", r.info.Name, err)
}

func (r *rows[R]) Close() error {
	_, err := decoded(r.info.Name, func() (int, error) { return 0, r.reader.Close() })
	return errors.Join(err, r.chunk.Close())
}
