package chunk

import (
	"fmt"
	"testing"

	"syncd/internal/checkpoint/record"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestGroupsAreStable merges random chunk sizes and checks that the result would not be merged
// again, keeps the order and exceeds no limit.
func TestGroupsAreStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const maxRows = 100
		var chunks []record.Chunk
		for _, rows := range rapid.SliceOfN(rapid.Int64Range(1, maxRows), 0, 50).Draw(t, "rows") {
			chunks = append(chunks, record.Chunk{Entries: rows, Name: fmt.Sprint(len(chunks))})
		}
		var merged, back []record.Chunk
		for run := range groups(chunks, maxRows) {
			if sum := record.EntriesIn(run); sum > maxRows {
				t.Fatalf("run of %d rows, want at most %d", sum, maxRows)
			}
			merged = append(merged, record.Chunk{Entries: record.EntriesIn(run)})
			back = append(back, run...)
		}
		if diff := cmp.Diff(chunks, back); diff != "" {
			t.Fatalf("runs (-want +got):\n%s", diff)
		}
		for run := range groups(merged, maxRows) {
			if len(run) > 1 {
				t.Fatalf("merged chunks %v would be merged again: %v", merged, run)
			}
		}
	})
}
