package chunk

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"syncd/internal/checkpoint/record"

	"github.com/parquet-go/parquet-go"
)

// TestRowWithoutWrittenSince checks that WrittenSince is zero in a row of a chunk without that
// column.
func TestRowWithoutWrittenSince(t *testing.T) {
	type older struct {
		Key        string `parquet:"key"`
		SourceETag string `parquet:"source_etag"`
		Reason     string `parquet:"reason,dict"`
		FirstAt    int64  `parquet:"first_at,timestamp(microsecond)"`
	}
	var chunk bytes.Buffer
	if err := parquet.Write(&chunk, []older{{"k", `"e"`, "denied", 1}}); err != nil {
		t.Fatal(err)
	}
	rows, err := parquet.Read[QuarantineRow](bytes.NewReader(chunk.Bytes()), int64(chunk.Len()))
	if err != nil || len(rows) != 1 {
		t.Fatalf("got %d rows, %v", len(rows), err)
	}
	if q := rows[0].Quarantined(); !q.WrittenSince.IsZero() || q.DestinationETag != "" || q.Reason != "denied" {
		t.Errorf("got %+v, want no information on the destination", q)
	}
}

// TestLongDetails writes a row group of objects with very long details, and checks that it can be
// read and that the details are cut.
func TestLongDetails(t *testing.T) {
	shelf := &shelf{}
	const rows = 100
	infos, err := Write(t.Context(), &Writer{Store: shelf, Mapping: "m", Nonce: "n", MaxRows: rows, Encoders: NewEncoders()}, "", func(yield func(Item[QuarantineRow], error) bool) {
		for i := range rows {
			q := record.Quarantined{Key: fmt.Sprintf("%03d", i), Detail: strings.Repeat("x", 1<<20)}
			if !yield(Item[QuarantineRow]{Row: RowOfQuarantined(&q)}, nil) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for q, err := range Quarantine(t.Context(), shelf, []record.Run{{Chunks: infos}}, "") {
		if err != nil || len(q.Detail) != longestDetail {
			t.Fatalf("got a detail of %d bytes, %v, want %d", len(q.Detail), err, longestDetail)
		}
		n++
	}
	if n != rows {
		t.Errorf("got %d rows, want %d", n, rows)
	}
}
