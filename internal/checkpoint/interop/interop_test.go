// Package interop_test reads the ledger's chunks with another implementation of Parquet,
// apache/arrow-go, and compares every column with what syncd wrote. It is a separate module, so
// that the daemon does not depend on Arrow.
package interop_test

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
	"github.com/google/go-cmp/cmp"

	"syncd/internal/checkpoint"
	"syncd/internal/checkpoint/record"
	filestore "syncd/internal/checkpoint/store/file"
	"syncd/internal/transfer"
)

const (
	mapping = "alice-to-bob"
	rows    = 100_000 // enough for more than three row groups, in two chunks
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)

func entry(i int) record.Entry {
	key := fmt.Sprintf("exports/%06d", i)
	switch i % 5 {
	case 1:
		key += "/é 日本"
	case 2:
		key += "/" + strings.Repeat("long", i%60)
	case 3: // every column empty
		return record.Entry{Key: key}
	}
	return record.Entry{
		Key: key, Source: transfer.Version{ETag: fmt.Sprintf("%032x", i), Size: int64(i) << 20, LastModified: epoch.Add(-time.Duration(i) * time.Second), ID: fmt.Sprint(i % 3)},
		DestinationETag: fmt.Sprintf("%032x-%d", i, i%7), DestinationVersionID: fmt.Sprint("v", i),
		KeyARN:    fmt.Sprintf("arn:aws:kms:us-west-2:222222222222:key/%d", i%3),
		BucketKey: i%2 == 0, Checksum: fmt.Sprint("crc64nvme:", i), Missed: int64(i%3) - 1, MissedIn: int64(i % 7), CopiedAt: epoch.Add(time.Duration(i) * time.Microsecond),
	}
}

func quarantined(i int) record.Quarantined {
	return record.Quarantined{
		Key: fmt.Sprintf("poison/%06d", i), Source: transfer.Version{ETag: fmt.Sprint(i), Size: int64(i), LastModified: epoch}, Reason: []string{"denied", "archived"}[i%2],
		Detail: "a sentence — about " + fmt.Sprint(i), FirstAt: epoch, LastAt: epoch.Add(time.Hour), Attempts: int64(i + 1),
		DestinationETag: fmt.Sprint("etag of ", i), WrittenSince: epoch.Add(time.Duration(i) * time.Second),
	}
}

// writeLedger commits one generation in a folder.
func writeLedger(t *testing.T) (dir string, m record.Manifest) {
	t.Helper()
	dir = t.TempDir()
	store, err := filestore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := checkpoint.Open(t.Context(), store, checkpoint.Options{Mapping: mapping, ChunkEntries: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := ledger.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	pass, err := ledger.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	walk := pass.Walk("")
	reserve := func(key string) *checkpoint.Slot {
		slot, err := walk.Reserve(t.Context(), key, record.Rows{})
		if err != nil {
			t.Fatal(err)
		}
		return slot
	}
	for i := range rows {
		reserve(entry(i).Key).Record(entry(i))
	}
	for i := range 1000 {
		reserve(quarantined(i).Key).Quarantine(quarantined(i), nil)
	}
	walk.End("")
	if _, err := pass.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	return dir, ledger.Manifest()
}

// table contains the values of a chunk, by the name of their column.
type table map[string][]any

// readTable reads every column of a chunk.
func readTable(t *testing.T, path string) table {
	t.Helper()
	reader, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := reader.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}()
	all := table{}
	for g := range reader.NumRowGroups() {
		group := reader.RowGroup(g)
		for c := range group.NumColumns() {
			wantZstd(t, group, c)
			column, err := group.Column(c)
			if err != nil {
				t.Fatal(err)
			}
			name := column.Descriptor().Name()
			all[name] = append(all[name], readColumn(t, column, group.NumRows())...)
		}
	}
	return all
}

func wantZstd(t *testing.T, group *file.RowGroupReader, column int) {
	t.Helper()
	meta, err := group.MetaData().ColumnChunk(column)
	if err != nil {
		t.Fatal(err)
	}
	if got := meta.Compression(); got != compress.Codecs.Zstd {
		t.Errorf("compression: got %v, want zstd", got)
	}
}

func readColumn(t *testing.T, column file.ColumnChunkReader, rows int64) []any {
	t.Helper()
	switch c := column.(type) {
	case *file.ByteArrayColumnChunkReader:
		return batches(t, rows, c.ReadBatch, func(v parquet.ByteArray) any { return string(v) })
	case *file.Int64ColumnChunkReader:
		if _, ok := column.Descriptor().LogicalType().(schema.TimestampLogicalType); ok {
			return batches(t, rows, c.ReadBatch, func(v int64) any { return time.UnixMicro(v).UTC() })
		}
		return batches(t, rows, c.ReadBatch, func(v int64) any { return v })
	case *file.BooleanColumnChunkReader:
		return batches(t, rows, c.ReadBatch, func(v bool) any { return v })
	default:
		t.Fatalf("column %s: got %T", column.Descriptor().Name(), column)
		return nil
	}
}

func batches[V any](
	t *testing.T, rows int64, read func(int64, []V, []int16, []int16) (int64, int, error), as func(V) any,
) (all []any) {
	t.Helper()
	buf := make([]V, 1000)
	for int64(len(all)) < rows {
		_, n, err := read(int64(len(buf)), buf, nil, nil)
		if err != nil && !errors.Is(err, io.EOF) || n == 0 {
			t.Fatalf("read after %d of %d values: got %d, %v", len(all), rows, n, err)
		}
		for _, v := range buf[:n] {
			all = append(all, as(v))
		}
	}
	return all
}

func (all table) add(columns map[string]any) {
	for name, value := range columns {
		all[name] = append(all[name], value)
	}
}

func TestArrowReadsEveryChunk(t *testing.T) {
	t.Parallel()
	dir, m := writeLedger(t)
	if len(m.Runs) != 1 || len(m.Runs[0].Chunks) < 2 || len(m.QuarantineRuns) != 1 || len(m.QuarantineRuns[0].Chunks) != 1 {
		t.Fatalf("got runs %v and %v, want one run of several chunks and one of a single chunk", m.Runs, m.QuarantineRuns)
	}
	got := table{}
	for _, c := range m.Runs[0].Chunks {
		for name, values := range readTable(t, filepath.Join(dir, filepath.FromSlash(c.Name))) {
			got[name] = append(got[name], values...)
		}
	}
	want := table{}
	for i := range rows {
		e := entry(i)
		want.add(map[string]any{
			"key": e.Key, "source_etag": e.Source.ETag, "source_size": e.Source.Size,
			"source_last_modified": e.Source.LastModified, "source_version_id": e.Source.ID, "destination_etag": e.DestinationETag,
			"destination_version_id": e.DestinationVersionID, "key_arn": e.KeyARN, "bucket_key": e.BucketKey,
			"checksum": e.Checksum, "copied_at": e.CopiedAt, "pass": int64(1), "missed": e.Missed, "missed_in": e.MissedIn, "removed": false,
		})
	}
	compare(t, want, got)
	want = table{}
	for i := range 1000 {
		q := quarantined(i)
		want.add(map[string]any{
			"key": q.Key, "source_etag": q.Source.ETag, "source_size": q.Source.Size, "source_last_modified": q.Source.LastModified, "source_version_id": q.Source.ID, "reason": q.Reason, "detail": q.Detail,
			"first_at": q.FirstAt, "last_at": q.LastAt, "attempts": q.Attempts, "pass": int64(1),
			"destination_etag": q.DestinationETag, "written_since": q.WrittenSince, "removed": false,
		})
	}
	compare(t, want, readTable(t, filepath.Join(dir, filepath.FromSlash(m.QuarantineRuns[0].Chunks[0].Name))))
}

func compare(t *testing.T, want, got table) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %d columns, want %d", len(got), len(want))
	}
	for name, values := range want {
		if diff := cmp.Diff(values, got[name]); diff != "" {
			t.Errorf("column %s (-want +got):\n%.2000s", name, diff)
		}
	}
}
