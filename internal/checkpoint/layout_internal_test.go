package checkpoint

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestSpans looks where the rows of a chunk are said to be, for readers of all columns and of the keys alone.
func TestSpans(t *testing.T) {
	const entries = 5*rowsPerGroup/2 + 1
	store := &shelf{}
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
	infos, err := writeItems(t.Context(), &chunkWriter{store: store, mapping: "m", nonce: "n", maxRows: entries, encoders: NewEncoders()}, "", func(yield func(item[entryRow], error) bool) {
		for i := range entries {
			random := fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
			e := Entry{Key: fmt.Sprintf("%06d", i), DestinationETag: random, Checksum: random}
			if !yield(item[entryRow]{row: rowOfEntry(&e)}, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	chunk, err := openChunk(t.Context(), store, infos[0])
	if err != nil {
		t.Fatal(err)
	}
	file, err := openParquet(chunk)
	if err != nil {
		t.Fatal(err)
	}
	all, keys := spansOf[entryRow](file), spansOf[keyRow](file)
	if len(all) != 2 || all[0].Start != magic || all[0].End != all[1].Start || all[0].Length() > wholeRecord {
		t.Errorf("got %v of all columns, want row groups together up to %d bytes, from the first row to the last", all, wholeRecord)
	}
	if len(keys) != 3 || keys[0].Start != all[0].Start || keys[2].Length()*20 > all[1].Length() {
		t.Errorf("got %v of the keys, want a small part of each row group", keys)
	}
}
