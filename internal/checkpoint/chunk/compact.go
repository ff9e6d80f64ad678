package chunk

import (
	"context"
	"fmt"
	"iter"
	"math/bits"
	"slices"

	"syncd/internal/checkpoint/record"
)

// FanIn is the number of chunks of about the same size that accumulate during a pass before they
// are merged. Merging bounds the number of chunks in a progress record, at the cost of writing each
// row a few times.
const FanIn = 16

// groups splits chunks into runs that should become one chunk each. Only chunks with fewer than
// half of maxRows rows are merged. No two neighbors in the result can be merged again, so an
// unchanged ledger is not rewritten.
func groups(chunks []record.Chunk, maxRows int64) iter.Seq[[]record.Chunk] {
	return func(yield func([]record.Chunk) bool) {
		start, sum := 0, int64(0)
		for i, c := range chunks {
			joins := i > start && isSmall(c, maxRows) && isSmall(chunks[i-1], maxRows) && sum+c.Entries <= maxRows
			if i > start && !joins {
				if !yield(chunks[start:i]) {
					return
				}
				start, sum = i, 0
			}
			sum += c.Entries
		}
		if start < len(chunks) {
			yield(chunks[start:])
		}
	}
}

func isSmall(c record.Chunk, maxRows int64) bool { return c.Entries < maxRows/2 }

// Compact merges runs of small chunks, streaming the rows. The replaced chunks are deleted when the
// pass is committed.
func Compact[R Row](ctx context.Context, w *Writer, prefix string, chunks []record.Chunk) ([]record.Chunk, error) {
	merged := make([]record.Chunk, 0, len(chunks))
	for run := range groups(chunks, w.MaxRows) {
		if len(run) == 1 {
			merged = append(merged, run[0])
			continue
		}
		made, err := Write(ctx, w, prefix, asItems(Read[R](ctx, w.Store, run, "")))
		if err != nil {
			return nil, fmt.Errorf("merge %d chunks: %w", len(run), err)
		}
		merged = append(merged, made...)
	}
	return merged, nil
}

// CompactTail merges the last chunks once FanIn chunks of about the same size have accumulated.
func CompactTail[R Row](ctx context.Context, w *Writer, prefix string, chunks []record.Chunk) ([]record.Chunk, error) {
	for {
		start := tail(chunks)
		if len(chunks)-start < FanIn {
			return chunks, nil
		}
		merged, err := Compact[R](ctx, w, prefix, chunks[start:])
		if err != nil {
			return nil, err
		}
		if len(merged) == len(chunks)-start {
			return chunks, nil
		}
		chunks = slices.Concat(chunks[:start], merged)
	}
}

// tail returns the index at which the last run of chunks of about the same size starts. Sizes fall
// into classes, each FanIn times as large as the class below. The run ends with the last chunk and
// contains chunks of the last chunk's class and of smaller classes.
func tail(chunks []record.Chunk) int {
	tier := func(c record.Chunk) int { return bits.Len64(uint64(c.Entries)) / bits.Len64(FanIn-1) }
	start := len(chunks)
	for start > 0 && tier(chunks[start-1]) <= tier(chunks[len(chunks)-1]) {
		start--
	}
	return start
}

func asItems[R Row](rows iter.Seq2[R, error]) iter.Seq2[Item[R], error] {
	return func(yield func(Item[R], error) bool) {
		for r, err := range rows {
			if !yield(Item[R]{Row: r}, err) {
				return
			}
		}
	}
}
