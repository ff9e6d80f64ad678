package chunk

import (
	"bytes"
	"testing"

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
