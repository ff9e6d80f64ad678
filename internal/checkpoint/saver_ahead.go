package checkpoint

import (
	"context"
	"iter"
	"slices"

	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/watermark"
)

// aheadIsFull reports whether the progress record names so many saves ahead of the mark that the
// next save must rewrite all of them as one.
func (s *saver) aheadIsFull() bool { return len(s.ahead) >= chunk.FanIn }

// saveAhead writes the rows settled above the mark, and drops earlier saves whose keys are all at
// or below the mark.
func (s *saver) saveAhead(ctx context.Context, r *record.Range, b watermark.Batch) error {
	if b.IsAll {
		s.ahead = nil
	}
	var now record.Ahead
	var err error
	now.Chunks, err = chunk.Write(ctx, &s.writer, record.ChunkPrefix, itemsAhead(b.Ahead, func(k *watermark.Key) (chunk.EntryRow, bool) {
		if k.Entry == nil {
			return chunk.EntryRow{}, false
		}
		return chunk.RowOfEntry(k.Entry), true
	}))
	if err != nil {
		return err
	}
	now.QuarantineChunks, err = chunk.Write(ctx, &s.writer, record.QuarantinePrefix, itemsAhead(b.Ahead, func(k *watermark.Key) (chunk.QuarantineRow, bool) {
		if k.Quarantined == nil {
			return chunk.QuarantineRow{}, false
		}
		return s.rowAhead(k.Quarantined), true
	}))
	if err != nil {
		return err
	}
	passed := func(a record.Ahead) bool { return a.LastKey() <= r.Mark }
	s.ahead = slices.DeleteFunc(append(s.ahead, now), passed)
	r.Ahead = slices.Concat(slices.DeleteFunc(slices.Clone(s.inherited), passed), s.ahead)
	return nil
}

// rowAhead returns the row of an object quarantined above the mark. The row does not include what
// the base generation recorded about the object, because the base is read only up to the mark.
func (s *saver) rowAhead(q *record.Quarantined) chunk.QuarantineRow {
	row := chunk.RowOfQuarantined(q)
	if before := s.asideBefore[q.Key]; before != nil && before.Source.Same(q.Source) {
		row.FirstAt = before.FirstAt.UnixMicro()
		row.Attempts += before.Attempts
	}
	return row
}

func itemsAhead[R chunk.Row](slots []*watermark.Key, rowOf func(*watermark.Key) (R, bool)) iter.Seq2[chunk.Item[R], error] {
	return func(yield func(chunk.Item[R], error) bool) {
		for _, slot := range slots {
			if row, ok := rowOf(slot); ok && !yield(chunk.Item[R]{Row: row}, nil) {
				return
			}
		}
	}
}
