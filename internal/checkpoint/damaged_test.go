package checkpoint_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/generation"
	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/store"
)

// metered counts the bytes that are read from open records.
type metered struct {
	store.Store
	read *atomic.Int64
}

type meteredRecord struct {
	store.Record
	read *atomic.Int64
}

func (m metered) Open(ctx context.Context, name string, end int64) (store.Record, error) {
	r, err := m.Store.Open(ctx, name, end)
	return meteredRecord{r, m.read}, err
}

func (r meteredRecord) ReadAt(p []byte, offset int64) (int, error) {
	r.read.Add(int64(len(p)))
	return r.Record.ReadAt(p, offset)
}

func (r meteredRecord) WriteTo(w io.Writer) (int64, error) {
	n, err := r.Record.WriteTo(w)
	r.read.Add(n)
	return n, err
}

// twoGenerations returns a store with two generations of 3,000 entries in three chunks each, and the
// manifest of the second generation.
func twoGenerations(t *testing.T) (*checkpointtest.Memory, record.Manifest) {
	t.Helper()
	o := options()
	o.ChunkEntries = 1000
	memory := checkpointtest.NewMemory()
	ledger := openLedger(t, memory, o)
	recordAll(t, ledger, keysTo(3000)...)
	pass := begin(t, ledger)
	for i := range 3000 {
		reserve(t, pass, key(i)).Record(entry(key(i), "2"))
	}
	commit(t, pass)
	m := ledger.Manifest()
	if err := ledger.Close(); err != nil || len(record.ChunksOf(m.Runs)) < 2 {
		t.Fatalf("got chunks %v, %v, want several", record.ChunksOf(m.Runs), err)
	}
	return memory, m
}

// TestOpenReadsFooters checks how many bytes of chunks Open reads: the footers once per process, or
// all bytes with Options.Full.
func TestOpenReadsFooters(t *testing.T) {
	t.Parallel()
	memory, m := twoGenerations(t)
	var footers, all int64
	for _, c := range record.ChunksOf(m.Runs) {
		footers += c.Footer
		all += c.Bytes
	}
	o := options()
	o.Verified = new(generation.Verified)
	for _, step := range []struct {
		name string
		full bool
		want int64
	}{{"first", false, footers}, {"again", false, 0}, {"full", true, all}, {"full again", true, 0}, {"after full", false, 0}} {
		var read atomic.Int64
		o.Full = step.full
		ledger, err := checkpoint.Open(t.Context(), metered{memory, &read}, o)
		if err != nil || ledger.Close() != nil {
			t.Fatal(err)
		}
		if got := read.Load(); got != step.want {
			t.Errorf("%s: got %d bytes read, want %d", step.name, got, step.want)
		}
	}
}

// TestDamagedChunk damages the last chunk of the last generation. It checks which damage Open finds
// by itself, and that it finds all damage with Options.Full. Damage that Open does not find must be
// found when the rows are read.
func TestDamagedChunk(t *testing.T) {
	t.Parallel()
	memory, m := twoGenerations(t)
	last := record.ChunksOf(m.Runs)[len(record.ChunksOf(m.Runs))-1]
	for name, tt := range map[string]struct {
		change  func([]byte) []byte
		isFound bool
	}{
		"row group": {func(d []byte) []byte { d[100] ^= 1; return d }, false},
		"footer":    {func(d []byte) []byte { d[last.Bytes-last.Footer+5] ^= 1; return d }, true},
		"trailer":   {func(d []byte) []byte { d[last.Bytes-1] ^= 1; return d }, true},
		"size":      {func(d []byte) []byte { return d[1:] }, true},
		"empty":     {func([]byte) []byte { return nil }, true},
	} {
		damaged := memory.Clone()
		damaged.Damage(last.Name, tt.change)
		for _, full := range []bool{false, true} {
			o := options()
			o.Full = full
			log := warnings(&o)
			ledger := openLedger(t, damaged.Clone(), o)
			want := int64(2)
			if full || tt.isFound {
				want = 1
			}
			if got := ledger.Generation(); got != want || strings.Contains(log.String(), "generation was damaged") != (want == 1) {
				t.Errorf("%s, full is %t: got generation %d, want %d; log: %s", name, full, got, want, log)
			}
		}
		if err := lastError(checkpoint.Entries(t.Context(), damaged, mapping)); !isDamage(err) {
			t.Errorf("%s: read: got %v, want damage", name, err)
		}
	}
}

func isDamage(err error) bool {
	_, ok := errors.AsType[*store.CorruptError](err)
	return ok
}
