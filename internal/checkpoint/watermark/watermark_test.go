package watermark_test

import (
	"fmt"
	"slices"
	"testing"

	"syncd/internal/checkpoint/record"
	"syncd/internal/checkpoint/watermark"

	"pgregory.net/rapid"
)

// TestWatermarkAgainstASort settles keys in a random order and compares the mark and the counts at
// every step with the longest run of settled keys at the beginning of the sorted keys.
func TestWatermarkAgainstASort(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 100).Draw(t, "keys")
		reserved, passed := 0, 0
		settled := make([]bool, n+1)
		var open []int
		keys := make([]*watermark.Key, n)
		water := watermark.New("before")
		var counts record.Counts
		for passed < n {
			if reserved < n && (len(open) == 0 || rapid.Bool().Draw(t, "reserve")) {
				keys[reserved] = &watermark.Key{Name: fmt.Sprintf("key %04d", reserved)}
				water.Push(keys[reserved])
				open = append(open, reserved)
				reserved++
			} else {
				i := rapid.IntRange(0, len(open)-1).Draw(t, "settle")
				keys[open[i]].How = watermark.Recorded
				settled[open[i]] = true
				open = slices.Delete(open, i, i+1)
			}
			water.Advance(&counts)
			passed = slices.Index(settled, false)
			want := "before"
			if passed > 0 {
				want = keys[passed-1].Name
			}
			if water.Mark() != want || counts.Recorded != int64(passed) || water.Len() != reserved-passed {
				t.Fatalf("got mark %q, %d passed, %d ahead, want %q, %d, %d", water.Mark(), counts.Recorded, water.Len(), want, passed, reserved-passed)
			}
			if water.Len() > 0 && water.First() != keys[passed].Name {
				t.Fatalf("first key ahead: got %q, want %q", water.First(), keys[passed].Name)
			}
		}
	})
}
