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

// rows reads one chunk in order, a few rows at a time. The checksums only prove that a chunk matches
// its manifest. A process that can write both could forge both, so the rows are checked as well.
type rows[R Row] struct {
	info   record.Chunk
	groups *rowGroups
	next   int                       // number of the next row group
	reader *parquet.GenericReader[R] // of the row group before it, nil for none
	unread int64                     // number of rows that the reader has not decoded yet
	buf    []R
	pos, n int
	left   int64  // number of rows not taken yet
	above  string // key of the last row taken
	any    bool   // whether a row was taken
}

// decoded runs a step of the Parquet reader. The reader panics on some invalid files, so decoded
// turns a panic into an error. All errors become a CorruptError, because the reader only gets bytes
// that were verified.
func decoded[T any](name, problem string, step func() (T, error)) (value T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
		if err != nil {
			err = &store.CorruptError{Name: name, Problem: problem, Err: err}
		}
	}()
	return step()
}

// undecodable is the problem of a chunk whose rows cannot be decoded.
const undecodable = "cannot be decoded"

// openRows opens a chunk at the first row with a key above after.
func openRows[R Row](ctx context.Context, from store.Store, info record.Chunk, after string) (*rows[R], error) {
	chunk, err := open(ctx, from, info)
	if err != nil {
		return nil, err
	}
	groups, err := openParquet(chunk, info)
	if err != nil {
		return nil, errors.Join(err, chunk.Close())
	}
	r := &rows[R]{info: info, groups: groups, buf: make([]R, min(rowsPerRead, info.Entries)), left: info.Entries}
	if after >= info.FirstKey {
		if err := r.seek(ctx, after); err != nil {
			return nil, errors.Join(err, r.Close())
		}
	}
	return r, nil
}

// seek moves to the first row with a key above after. It finds the row group by its first key and
// then walks the rows of the group.
func (r *rows[R]) seek(ctx context.Context, after string) error {
	r.next = r.groups.find(after)
	for _, group := range r.groups.groups[:r.next] {
		r.left -= group.rows
	}
	for {
		head, err := r.Head(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || head.sortKey() > after {
			return err
		}
		r.Take()
	}
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
		if r.unread == 0 {
			if err := r.nextGroup(ctx); err != nil {
				return head, err
			}
		}
		r.pos, r.n = 0, 0
		if r.n, err = decoded(r.info.Name, undecodable, r.read); err != nil {
			return head, err
		}
		r.unread -= int64(r.n)
	}
	head = r.buf[r.pos]
	return head, r.misplaced(head.sortKey())
}

// read decodes at least one row.
func (r *rows[R]) read() (int, error) {
	n, err := r.reader.Read(r.buf[:min(int64(len(r.buf)), r.unread)])
	if n > 0 {
		return n, nil // an error is returned again by the next read
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = errors.New("a row group ends before its last row")
	}
	return 0, err
}

// nextGroup loads the next row group.
func (r *rows[R]) nextGroup(ctx context.Context) error {
	if err := r.closeGroup(); err != nil {
		return err
	}
	r.groups.chunk.Bind(ctx)
	if err := r.groups.load(r.next); err != nil {
		return err
	}
	reader, err := decoded(r.info.Name, undecodable, func() (*parquet.GenericReader[R], error) {
		file, err := r.groups.open(r.next)
		if err != nil {
			return nil, err
		}
		return parquet.NewGenericReader[R](file), nil
	})
	if err != nil {
		return err
	}
	r.reader, r.unread = reader, r.groups.groups[r.next].rows
	r.next++
	return nil
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

func (r *rows[R]) closeGroup() error {
	if r.reader == nil {
		return nil
	}
	_, err := decoded(r.info.Name, undecodable, func() (int, error) { return 0, r.reader.Close() })
	r.reader = nil
	return err
}

func (r *rows[R]) Close() error { return errors.Join(r.closeGroup(), r.groups.chunk.Close()) }
