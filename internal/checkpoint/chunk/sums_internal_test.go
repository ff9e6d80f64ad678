package chunk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// groupedChunk writes a chunk of two and a half row groups.
func groupedChunk(t *testing.T) (*shelf, record.Chunk) {
	t.Helper()
	return chunkOf(t, 5*rowsPerGroup/2+1)
}

// chunkOf writes a chunk of entries.
func chunkOf(t *testing.T, entries int) (*shelf, record.Chunk) {
	t.Helper()
	shelf := &shelf{}
	infos, err := Write(t.Context(), &Writer{Store: shelf, Mapping: "m", Nonce: "n", MaxRows: int64(entries), Encoders: NewEncoders()}, "", func(yield func(Item[EntryRow], error) bool) {
		for i := range entries {
			e := record.Entry{Key: fmt.Sprintf("%06d", i), DestinationETag: fmt.Sprint(i)}
			if !yield(Item[EntryRow]{Row: RowOfEntry(&e)}, nil) {
				return
			}
		}
	})
	if err != nil || len(infos) != 1 {
		t.Fatalf("got chunks %v, %v, want one", infos, err)
	}
	return shelf, infos[0]
}

// TestRowGroups checks that each row group has its checksum, and that a changed bit in any of them is
// found when its rows are read, and not before.
func TestRowGroups(t *testing.T) {
	shelf, info := groupedChunk(t)
	groups, err := openParquet(shelved{bytes.NewReader(shelf.data)}, info)
	if err != nil || len(groups.groups) != 3 {
		t.Fatalf("got row groups %+v, %v, want 3", groups, err)
	}
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
	for i, group := range groups.groups {
		span := group.span
		at := span.Start + r.Int64N(span.Length())
		shelf.data[at] ^= 1
		read := 0
		var got error
		for _, err := range live[EntryRow](t.Context(), shelf, []record.Run{{Chunks: []record.Chunk{info}}}, "") {
			if got = err; err == nil {
				read++
			}
		}
		if _, isDamage := errors.AsType[*store.CorruptError](got); !isDamage || read != i*rowsPerGroup {
			t.Errorf("byte %d of row group %d was changed: got %d rows and %v, want %d rows and damage", at, i, read, got, i*rowsPerGroup)
		}
		shelf.data[at] ^= 1
	}
}

// countedShelf is a store that counts the bytes that are read.
type countedShelf struct {
	*shelf
	n *int64
}

type countedRecord struct {
	store.Record
	n *int64
}

func (s countedShelf) Open(ctx context.Context, name string, end int64) (store.Record, error) {
	r, err := s.shelf.Open(ctx, name, end)
	return countedRecord{r, s.n}, err
}

func (r countedRecord) ReadAt(p []byte, offset int64) (int, error) {
	*r.n += int64(len(p))
	return r.Record.ReadAt(p, offset)
}

// TestRowsAreReadOnce checks that reading all rows of a chunk reads each byte at most once, and that
// reading the last rows reads little.
func TestRowsAreReadOnce(t *testing.T) {
	shelf, info := groupedChunk(t)
	for _, tt := range []struct {
		after string
		rows  int
		most  int64
	}{{"", 5*rowsPerGroup/2 + 1, info.Bytes}, {fmt.Sprintf("%06d", 2*rowsPerGroup), rowsPerGroup / 2, info.Bytes * 3 / 4}} {
		var n int64
		rows := 0
		for _, err := range live[EntryRow](t.Context(), countedShelf{shelf, &n}, []record.Run{{Chunks: []record.Chunk{info}}}, tt.after) {
			if err != nil {
				t.Fatal(err)
			}
			rows++
		}
		if rows != tt.rows || n > tt.most {
			t.Errorf("after %q: got %d rows in %d bytes, want %d rows in at most %d bytes", tt.after, rows, n, tt.rows, tt.most)
		}
	}
}
