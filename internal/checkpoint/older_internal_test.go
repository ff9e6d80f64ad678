package checkpoint

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

// TestRowFromBeforeWrittenSince reads a row of a chunk that has no such column: there is no time since when syncd may have written.
func TestRowFromBeforeWrittenSince(t *testing.T) {
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
	rows, err := parquet.Read[quarantineRow](bytes.NewReader(chunk.Bytes()), int64(chunk.Len()))
	if err != nil || len(rows) != 1 {
		t.Fatalf("got %d rows, %v", len(rows), err)
	}
	if q := rows[0].quarantined(); !q.WrittenSince.IsZero() || q.DestinationETag != "" || q.Reason != "denied" {
		t.Errorf("got %+v, want nothing of the destination known", q)
	}
}

// TestProgressFromBeforeClaims reads records of passes that claimed nothing: one that could not may have written any key.
func TestProgressFromBeforeClaims(t *testing.T) {
	began := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	for _, tt := range []struct {
		record string
		want   []Claim
	}{
		{`{"fingerprint":"f","started_at":"2026-05-06T07:08:09Z"}`, []Claim{{Fingerprint: "f", Since: began.Add(-15 * time.Minute)}}},
		{`{"fingerprint":"f","started_at":"2026-05-06T07:08:09Z","claims":[]}`, []Claim{}},
	} {
		var p Progress
		if err := json.Unmarshal([]byte(tt.record), &p); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, p.claimed()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.record, diff)
		}
	}
}
