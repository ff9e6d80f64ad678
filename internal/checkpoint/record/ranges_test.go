package record_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"syncd/internal/checkpoint/record"
)

// TestRangesAgainstASet adds random ranges in a random order, and compares the result with a set of
// keys. It checks that the ranges and the gaps together contain every key exactly once.
func TestRangesAgainstASet(t *testing.T) {
	keys := []string{"\x00", "a", "b", "b\xff", "c", "d", "e", "\xff\xff"}
	bounds := append([]string{""}, keys...)
	rapid.Check(t, func(t *rapid.T) {
		var ranges record.Ranges
		in := map[string]bool{}
		for range rapid.IntRange(0, 8).Draw(t, "ranges") {
			i := rapid.IntRange(0, len(bounds)-1).Draw(t, "after")
			j := rapid.IntRange(i+1, len(bounds)).Draw(t, "until")
			r := record.Range{After: bounds[i]}
			if j < len(bounds) {
				r.Until = bounds[j]
			}
			ranges = ranges.Add(r)
			for _, key := range keys {
				in[key] = in[key] || r.Contains(key)
			}
			if !ranges.Includes(r) {
				t.Fatalf("%q does not include %q, which was added", ranges, r)
			}
		}
		isAll := true
		for _, key := range keys {
			isAll = isAll && in[key]
			inGaps := 0
			for _, gap := range ranges.Gaps() {
				if gap.Contains(key) {
					inGaps++
				}
			}
			if ranges.Contains(key) != in[key] || (inGaps == 1) == in[key] || inGaps > 1 {
				t.Fatalf("key %q: in %q %t, in %d gaps, want it in exactly one of them; added %t", key, ranges, ranges.Contains(key), inGaps, in[key])
			}
		}
		if ranges.IsAll() && !isAll || ranges.IsAll() != (len(ranges.Gaps()) == 0) {
			t.Fatalf("%q: all %t with gaps %q", ranges, ranges.IsAll(), ranges.Gaps())
		}
		for i := 1; i < len(ranges); i++ {
			if ranges[i-1].Until >= ranges[i].After {
				t.Fatalf("%q overlap or touch", ranges)
			}
		}
	})
}

// TestRangeJSON checks that keys with any bytes survive encoding.
func TestRangeJSON(t *testing.T) {
	want := record.Ranges{{Until: "a\xff\\"}, {After: "é\x00", Until: ""}}
	data, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got record.Ranges
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", data, diff)
	}
}
