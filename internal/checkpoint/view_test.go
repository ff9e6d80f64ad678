package checkpoint_test

import (
	"slices"
	"testing"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/record"
)

// TestViewIsDivided checks the keys that divide a ledger for several readers, and how many chunks
// each reader has open.
func TestViewIsDivided(t *testing.T) {
	t.Parallel()
	chunksOf := func(rows ...int64) (r record.Run) {
		for i, n := range rows {
			r.Chunks = append(r.Chunks, record.Chunk{Entries: n, FirstKey: key(10 * i), LastKey: key(10*i + 9)})
		}
		return r
	}
	for _, tt := range []struct {
		name     string
		base     []record.Run
		progress []record.Run
		n        int
		least    int64
		want     []string
		readers  int
	}{
		{"empty", nil, nil, 16, 1, nil, 1},
		{"one chunk", []record.Run{chunksOf(100)}, nil, 16, 1, nil, 1},
		{"as many as chunks", []record.Run{chunksOf(10, 10, 10, 10)}, nil, 4, 1, []string{key(9), key(19), key(29)}, 1},
		{"fewer than chunks", []record.Run{chunksOf(10, 10, 10, 10)}, nil, 2, 1, []string{key(19)}, 1},
		{"too few entries", []record.Run{chunksOf(10, 10, 10, 10)}, nil, 4, 20, []string{key(19)}, 1},
		{"by the largest run", []record.Run{chunksOf(10, 10), chunksOf(1)}, []record.Run{chunksOf(2), chunksOf(3)}, 2, 1, []string{key(9)}, 4},
	} {
		view := checkpoint.NewView(checkpointtest.NewMemory(), record.Manifest{Runs: tt.base}, record.Progress{Runs: tt.progress})
		if got := view.Bounds(tt.n, tt.least); !slices.Equal(got, tt.want) || view.Readers() != tt.readers {
			t.Errorf("%s: got %q with %d readers, want %q with %d", tt.name, got, view.Readers(), tt.want, tt.readers)
		}
	}
}
