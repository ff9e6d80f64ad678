package chunk

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"syncd/internal/checkpoint/record"
	"syncd/internal/transfer"
)

// realEntry returns an entry that compresses about as well as a real one.
func realEntry(r *rand.Rand, i int) record.Entry {
	text := func() string { return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()) }
	return record.Entry{
		Key:             fmt.Sprintf("exports/2026/%06d/part-%04d.parquet", i/100, i%100),
		Source:          transfer.Version{ETag: `"` + text() + `"`, Size: r.Int64N(1 << 24), LastModified: time.Unix(1_770_000_000+3*int64(i), 0)},
		DestinationETag: `"` + text() + `"`, DestinationVersionID: text(),
		KeyARN:    "arn:aws:kms:us-west-2:222222222222:key/11111111-2222-3333-4444-555555555555",
		BucketKey: true, Checksum: "crc64nvme:" + text()[:12], CopiedAt: time.Unix(1_770_000_000, r.Int64N(1e9)), Pass: 1,
	}
}

// realChunk writes a chunk of entries that compress about as well as real ones.
func realChunk(t *testing.T, entries int) (*shelf, record.Chunk) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
	shelf := &shelf{}
	infos, err := Write(t.Context(), &Writer{Store: shelf, Mapping: "m", Nonce: "n", MaxRows: int64(entries), Encoders: NewEncoders()}, "", func(yield func(Item[EntryRow], error) bool) {
		for i := range entries {
			e := realEntry(r, i)
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

func liveHeap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // fits in an int64
}

// TestMemoryOfReaders opens 64 readers of a full chunk, in the middle of different row groups. It
// checks how much memory they use.
func TestMemoryOfReaders(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector uses extra memory; make test runs it")
	}
	const readers, most = 64, 40 << 20
	shelf, info := realChunk(t, 1<<16)
	before := liveHeap()
	open := make([]*Walker[EntryRow], readers)
	for i := range open {
		e := realEntry(rand.New(rand.NewPCG(1, 2)), 1000*i) //nolint:gosec // a test
		open[i] = NewWalker[EntryRow](shelf, []record.Chunk{info}, e.Key)
		if head, err := open[i].Head(t.Context()); err != nil || head.Key <= e.Key {
			t.Fatalf("got %q, %v after %q", head.Key, err, e.Key)
		}
	}
	used := liveHeap() - before
	t.Logf("chunk of %d bytes with a footer of %d: %d bytes of memory for a reader", info.Bytes, info.Footer, used/readers)
	if used > most {
		t.Errorf("got %d bytes for %d readers, want at most %d", used, readers, most)
	}
	for _, w := range open {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}
