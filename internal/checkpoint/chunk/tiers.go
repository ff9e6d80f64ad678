package chunk

import (
	"context"
	"fmt"
	"math/bits"
	"slices"

	"syncd/internal/checkpoint/record"
)

const (
	// fanIn is how many runs of about the same size a pass accumulates before it merges them.
	// Merging bounds the number of runs in a progress record, at the cost of writing each row
	// again.
	fanIn = 16
	// fanInOfGenerations is the same for the runs of a generation. It is lower, because each range
	// of a pass reads all runs side by side.
	fanInOfGenerations = 4
)

// Due returns the index from which on the newest runs of a pass must be merged, because many of
// about the same size have accumulated. The result ok is false if none are. After a merge, larger
// runs can be due.
func Due(runs []record.Run) (start int, ok bool) {
	start = tail(runs)
	return start, len(runs)-start >= fanIn
}

// Combine returns the runs of the generation that a pass commits: those of the base generation and
// the rows of the pass as one run. It merges runs if many of about the same size have accumulated,
// or if the newer runs together have at least half as many rows as the oldest. So a pass writes
// little more than its changes, and readers read few runs.
func Combine[R Row](ctx context.Context, w *Writer, prefix string, base, added []record.Run) ([]record.Run, error) {
	if len(added) == 0 {
		return base, nil
	}
	runs := slices.Concat(base, added)
	start := len(base)
	for {
		isOneRun := start == len(runs)-1
		lower := start
		if rest := tail(runs[:start+1]); isOneRun && len(runs)-rest >= fanInOfGenerations {
			lower = rest
		}
		if start > 0 && newer(runs)*2 >= runs[0].Rows() {
			lower = 0
		}
		if lower == start && isOneRun {
			break
		}
		merged, err := mergeFrom[R](ctx, w, prefix, runs, lower, lower == 0)
		if err != nil {
			return nil, err
		}
		runs, start = merged, len(merged)-1
		if lower == 0 {
			break
		}
	}
	return slices.DeleteFunc(runs, func(r record.Run) bool { return len(r.Chunks) == 0 }), nil
}

// newer returns the number of rows in all runs but the oldest.
func newer(runs []record.Run) (rows int64) {
	for _, r := range runs[1:] {
		rows += r.Rows()
	}
	return rows
}

// mergeFrom replaces the runs from index start on by one run.
func mergeFrom[R Row](ctx context.Context, w *Writer, prefix string, runs []record.Run, start int, isOldest bool) ([]record.Run, error) {
	run, err := Merge[R](ctx, w, prefix, runs[start:], isOldest)
	if err != nil {
		return nil, fmt.Errorf("merge %d runs: %w", len(runs)-start, err)
	}
	return append(slices.Clone(runs[:start]), run), nil
}

// tail returns the index at which the newest runs of about the same size begin. Sizes fall into
// classes, each 16 times as large as the class below. The runs from that index on are of the class
// of the newest run or of a lower class.
func tail(runs []record.Run) int {
	tier := func(r record.Run) int { return bits.Len64(uint64(r.Rows())) / 4 }
	start := len(runs)
	for start > 0 && tier(runs[start-1]) <= tier(runs[len(runs)-1]) {
		start--
	}
	return start
}
