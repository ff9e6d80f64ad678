package chunk

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"syncd/internal/checkpoint/record"
)

// TestSpans checks the spans of a chunk for readers of all columns and for readers of only the
// keys.
func TestSpans(t *testing.T) {
	const entries = 5*rowsPerGroup/2 + 1
	store := &shelf{}
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
	infos, err := Write(t.Context(), &Writer{Store: store, Mapping: "m", Nonce: "n", MaxRows: entries, Encoders: NewEncoders()}, "", func(yield func(Item[EntryRow], error) bool) {
		for i := range entries {
			random := fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64())
			e := record.Entry{Key: fmt.Sprintf("%06d", i), DestinationETag: random, Checksum: random}
			if !yield(Item[EntryRow]{Row: RowOfEntry(&e)}, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	chunk, err := open(t.Context(), store, infos[0])
	if err != nil {
		t.Fatal(err)
	}
	file, err := openParquet(chunk)
	if err != nil {
		t.Fatal(err)
	}
	all, keys := spansOf[EntryRow](file), spansOf[KeyRow](file)
	if len(all) != 2 || all[0].Start != magic || all[0].End != all[1].Start || all[0].Length() > maxJoined {
		t.Errorf("got %v for all columns, want adjacent row groups joined up to %d bytes, from the first row to the last", all, maxJoined)
	}
	if len(keys) != 3 || keys[0].Start != all[0].Start || keys[2].Length()*20 > all[1].Length() {
		t.Errorf("got %v for the keys, want a small part of each row group", keys)
	}
}
