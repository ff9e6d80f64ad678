package chunk

import (
	"context"
	"errors"
	"io"
	"iter"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// merged walks several runs side by side in key order.
type merged[R Row] struct {
	inputs []input[R] // oldest first
	least  int        // index of the input that next has returned
}

// input is a run with its next row.
type input[R Row] struct {
	walker *Walker[R]
	head   R
	isRead bool // head is the next row
	isOver bool
}

func newMerged[R Row](store store.Store, runs []record.Run, after string) *merged[R] {
	m := &merged[R]{inputs: make([]input[R], len(runs))}
	for i, run := range runs {
		m.inputs[i].walker = NewWalker[R](store, run.Chunks, after)
	}
	return m
}

// next returns the next row: of the rows with the lowest key, the row of the newest run. The caller
// must call take before it calls next again. After the last row, the error is io.EOF.
func (m *merged[R]) next(ctx context.Context) (row *R, err error) {
	m.least = -1
	for i := range m.inputs {
		in := &m.inputs[i]
		if err := in.read(ctx); err != nil {
			return nil, err
		}
		if !in.isOver && (m.least < 0 || in.head.sortKey() <= m.inputs[m.least].head.sortKey()) {
			m.least = i
		}
	}
	if m.least < 0 {
		return nil, io.EOF
	}
	return &m.inputs[m.least].head, nil
}

// take moves past the row that next returned, in all runs that have its key.
func (m *merged[R]) take() {
	key := m.inputs[m.least].head.sortKey()
	for i := range m.inputs {
		if in := &m.inputs[i]; !in.isOver && in.head.sortKey() == key {
			in.walker.Take()
			in.isRead = false
		}
	}
}

// whole returns the next chunk of a run if all of its rows come before the rows of all other runs,
// so that the chunk can be used unchanged.
func (m *merged[R]) whole() (chunk record.Chunk, in *input[R], ok bool) {
	for i := range m.inputs {
		in := &m.inputs[i]
		if in.isRead || in.isOver {
			continue
		}
		if chunk, ok := in.walker.whole(); ok && m.isBefore(chunk.LastKey, i) {
			return chunk, in, true
		}
	}
	return record.Chunk{}, nil, false
}

// isBefore reports whether key is lower than every remaining key of all inputs except one.
func (m *merged[R]) isBefore(key string, except int) bool {
	for i := range m.inputs {
		in := &m.inputs[i]
		if i == except || in.isOver {
			continue
		}
		if bound, ok := in.bound(); ok && bound <= key {
			return false
		}
	}
	return true
}

// bound returns a key that is not higher than any remaining key of the input. The result ok is
// false if the input has no rows left.
func (in *input[R]) bound() (key string, ok bool) {
	if in.isRead {
		return in.head.sortKey(), true
	}
	return in.walker.bound()
}

func (in *input[R]) read(ctx context.Context) (err error) {
	if in.isRead || in.isOver {
		return nil
	}
	in.head, err = in.walker.Head(ctx)
	if errors.Is(err, io.EOF) {
		in.isOver = true
		return nil
	}
	in.isRead = err == nil
	return err
}

func (m *merged[R]) close() error {
	var errs []error
	for i := range m.inputs {
		errs = append(errs, m.inputs[i].walker.Close())
	}
	return errors.Join(errs...)
}

// live yields the rows with keys above after, in ascending order: for each key the row of the
// newest run, unless that row states that the key was removed.
func live[R Row](ctx context.Context, store store.Store, runs []record.Run, after string) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		m := newMerged[R](store, runs, after)
		defer func() { _ = m.close() }() // opened for reading, so a failed close loses no data
		for {
			row, err := m.next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !(*row).isRemoved() && !yield(row, nil) {
				return
			}
			m.take()
		}
	}
}

// Merge merges runs, oldest first, into one. It includes whole chunks of the runs unchanged where
// no other run has rows. If isOldest is true, no older run exists, so rows that state that a key
// was removed are left out.
func Merge[R Row](ctx context.Context, w *Writer, prefix string, runs []record.Run, isOldest bool) (record.Run, error) {
	m := newMerged[R](w.Store, runs, "")
	chunks, err := Write(ctx, w, prefix, m.items(ctx, isOldest, w.MaxRows))
	return record.Run{Chunks: chunks}, errors.Join(err, m.close())
}

// items yields the rows and the unchanged chunks of a merge. It does not reuse small chunks, so that
// a run does not accumulate them.
func (m *merged[R]) items(ctx context.Context, isOldest bool, maxRows int64) iter.Seq2[Item[R], error] {
	return func(yield func(Item[R], error) bool) {
		for {
			item, isWanted, err := m.item(ctx, isOldest, maxRows)
			if errors.Is(err, io.EOF) || isWanted && !yield(item, err) || err != nil {
				return
			}
			if item.whole == nil {
				m.take()
			}
		}
	}
}

// item returns the next item of a merge. If it is a row, the caller must then call take. IsWanted is
// false for a row that the merged run does not need.
func (m *merged[R]) item(ctx context.Context, isOldest bool, maxRows int64) (item Item[R], isWanted bool, err error) {
	chunk, in, ok := m.whole()
	if ok && chunk.Entries >= maxRows/2 && (!isOldest || in == &m.inputs[0]) {
		in.walker.skipChunk()
		return Item[R]{whole: &chunk}, true, nil
	}
	row, err := m.next(ctx)
	if err != nil {
		return Item[R]{}, true, err
	}
	return Item[R]{Row: *row}, !isOldest || !(*row).isRemoved(), nil
}
