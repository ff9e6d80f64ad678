package chunk_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"syncd/internal/checkpoint/checkpointtest"
	"syncd/internal/checkpoint/chunk"
	"syncd/internal/checkpoint/record"
	"syncd/internal/transfer"
)

// ledger is a model of runs: the ETag by key.
type ledger map[string]string

// draw draws the rows of one run, with which it changes the model.
func (l ledger) draw(t *rapid.T, n int, etag string) (rows []chunk.EntryRow) {
	from := rapid.IntRange(0, n-1).Draw(t, "from")
	for i := from; i < n && len(rows) < rapid.IntRange(1, n).Draw(t, "most"); i++ {
		key := fmt.Sprintf("key/%04d", i)
		switch _, has := l[key]; {
		case rapid.IntRange(0, 3).Draw(t, "how") == 0:
		case has && rapid.Bool().Draw(t, "removed"):
			rows = append(rows, chunk.RemovedEntry(key, 1))
			delete(l, key)
		default:
			rows = append(rows, chunk.RowOfEntry(&record.Entry{Key: key, Source: transfer.Version{ETag: etag}}))
			l[key] = etag
		}
	}
	return rows
}

// read reads the entries of runs after a key.
func read(t *rapid.T, store *checkpointtest.Memory, runs []record.Run, after string) ledger {
	got := ledger{}
	last := ""
	for e, err := range chunk.Entries(t.Context(), store, runs, after) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Key <= max(last, after) {
			t.Fatalf("got key %q after %q", e.Key, max(last, after))
		}
		last = e.Key
		got[e.Key] = e.Source.ETag
	}
	return got
}

// tb is what testing.T and rapid.T have in common.
type tb interface {
	Context() context.Context
	Fatal(args ...any)
}

// mergeDue merges the runs of a pass that are due.
func mergeDue(t tb, w *chunk.Writer, runs []record.Run, isFirst bool) []record.Run {
	for {
		start, ok := chunk.Due(runs)
		if !ok {
			return runs
		}
		merged, err := chunk.Merge[chunk.EntryRow](t.Context(), w, record.ChunkPrefix, runs[start:], isFirst && start == 0)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(slices.Clone(runs[:start]), merged)
	}
}

// TestRunsAgainstAMap commits generations of random rows, each written in several saves. It checks
// that reading the runs, after any key, returns what a map contains, that a generation has few runs,
// and that its oldest run has no removed rows.
func TestRunsAgainstAMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const keys = 60
		store, want := checkpointtest.NewMemory(), ledger{}
		w := &chunk.Writer{Store: store, Mapping: "m", Nonce: "n", MaxRows: rapid.Int64Range(2, 20).Draw(t, "chunk"), Encoders: chunk.NewEncoders()}
		var base []record.Run
		for generation := range rapid.IntRange(1, 5).Draw(t, "generations") {
			var added []record.Run
			for save := range rapid.IntRange(0, 20).Draw(t, "saves") {
				rows := want.draw(t, keys, fmt.Sprintf("%d.%d", generation, save))
				if len(rows) == 0 {
					continue
				}
				chunks, err := chunk.Write(t.Context(), w, record.ChunkPrefix, chunk.Items(rows))
				if err != nil {
					t.Fatal(err)
				}
				added = mergeDue(t, w, append(added, record.Run{Chunks: chunks}), len(base) == 0)
			}
			if len(added) > 31 {
				t.Fatalf("got %d runs in a pass, want few", len(added))
			}
			var err error
			if base, err = chunk.Combine[chunk.EntryRow](t.Context(), w, record.ChunkPrefix, base, added); err != nil {
				t.Fatal(err)
			}
			after := fmt.Sprintf("key/%04d", rapid.IntRange(-1, keys).Draw(t, "after"))
			rest := maps.Clone(want)
			maps.DeleteFunc(rest, func(key, _ string) bool { return key <= after })
			if diff := cmp.Diff(want, read(t, store, base, "")) + cmp.Diff(rest, read(t, store, base, after)); diff != "" {
				t.Fatalf("entries (-want +got):\n%s", diff)
			}
			if len(base) > 8 {
				t.Fatalf("got %d runs, want few", len(base))
			}
			if len(base) > 0 {
				if rows := int64(len(read(t, store, base[:1], ""))); rows != base[0].Rows() {
					t.Fatalf("the oldest run has %d rows, of which %d are removed", base[0].Rows(), base[0].Rows()-rows)
				}
			}
		}
	})
}

// TestMergeReusesChunks changes a few adjacent keys of a large run, and merges. It checks that the
// chunks without changes are used unchanged.
func TestMergeReusesChunks(t *testing.T) {
	t.Parallel()
	store := checkpointtest.NewMemory()
	w := &chunk.Writer{Store: store, Mapping: "m", Nonce: "n", MaxRows: 100, Encoders: chunk.NewEncoders()}
	write := func(from, to int, etag string) record.Run {
		var rows []chunk.EntryRow
		for i := from; i < to; i++ {
			rows = append(rows, chunk.RowOfEntry(&record.Entry{Key: fmt.Sprintf("key/%04d", i), Source: transfer.Version{ETag: etag}}))
		}
		chunks, err := chunk.Write(t.Context(), w, record.ChunkPrefix, chunk.Items(rows))
		if err != nil {
			t.Fatal(err)
		}
		return record.Run{Chunks: chunks}
	}
	base := write(0, 1000, "1")
	merged, err := chunk.Merge[chunk.EntryRow](t.Context(), w, record.ChunkPrefix, []record.Run{base, write(410, 420, "2")}, true)
	if err != nil {
		t.Fatal(err)
	}
	reused := 0
	for _, c := range merged.Chunks {
		if slices.Contains(base.Chunks, c) {
			reused++
		}
	}
	if reused != 9 || len(merged.Chunks) != 10 || merged.Rows() != 1000 {
		t.Errorf("got %d rows in %d chunks, %d of them reused, want 1000 in 10, 9 reused", merged.Rows(), len(merged.Chunks), reused)
	}
	changed := 0
	for e, err := range chunk.Entries(t.Context(), store, []record.Run{merged}, "") {
		if err != nil || e.Source.ETag != "1" && !strings.HasPrefix(e.Key, "key/041") {
			t.Fatalf("got %+v, %v", e, err)
		}
		if e.Source.ETag == "2" {
			changed++
		}
	}
	if changed != 10 {
		t.Errorf("got %d changed rows, want 10", changed)
	}
}

// TestManySavesMakeFewRuns saves many times. It checks that merged runs are merged again, so that the
// number of runs grows with the logarithm of the number of saves.
func TestManySavesMakeFewRuns(t *testing.T) {
	store := checkpointtest.NewMemory()
	w := &chunk.Writer{Store: store, Mapping: "m", Nonce: "n", MaxRows: 1 << 16, Encoders: chunk.NewEncoders()}
	var runs []record.Run
	for save := range 1600 {
		var rows []chunk.EntryRow
		for i := range 9 {
			rows = append(rows, chunk.RowOfEntry(&record.Entry{Key: fmt.Sprintf("key/%03d/%06d", i, save), Source: transfer.Version{ETag: "e"}}))
		}
		chunks, err := chunk.Write(t.Context(), w, record.ChunkPrefix, chunk.Items(rows))
		if err != nil {
			t.Fatal(err)
		}
		runs = mergeDue(t, w, append(runs, record.Run{Chunks: chunks}), true)
		if len(runs) > 3*16 {
			t.Fatalf("got %d runs after %d saves, want at most 48", len(runs), save+1)
		}
	}
}

// TestLongRowsCanBeRead writes and reads rows with the longest values that a service can cause: ETags
// of 8 KiB and details of 16 KiB, which cannot be compressed.
func TestLongRowsCanBeRead(t *testing.T) {
	store := checkpointtest.NewMemory()
	w := &chunk.Writer{Store: store, Mapping: "m", Nonce: "n", MaxRows: 1 << 16, Encoders: chunk.NewEncoders()}
	text := func(n int) string {
		b := make([]byte, n*3/4)
		_, _ = rand.Read(b)
		return base64.StdEncoding.EncodeToString(b)
	}
	var rows []chunk.QuarantineRow
	for i := range 2048 {
		rows = append(rows, chunk.RowOfQuarantined(&record.Quarantined{Key: fmt.Sprintf("%06d", i), Source: transfer.Version{ETag: text(8 << 10)}, Detail: text(16 << 10)}))
	}
	chunks, err := chunk.Write(t.Context(), w, record.QuarantinePrefix, chunk.Items(rows))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range chunk.Quarantine(t.Context(), store, []record.Run{{Chunks: chunks}}, "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != len(rows) {
		t.Errorf("got %d rows, want %d", n, len(rows))
	}
}
