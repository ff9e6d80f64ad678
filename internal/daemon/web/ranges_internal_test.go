package web

import (
	"strings"
	"testing"

	"syncd/internal/daemon/status"
)

// TestRangesText checks the text about the ranges of a pass: keys are escaped, and the middle of a
// long key is left out.
func TestRangesText(t *testing.T) {
	for _, tt := range []struct {
		ranges int64
		oldest status.Range
		want   string
	}{
		{0, status.Range{}, ""},
		{1, status.Range{Seconds: 61}, "1 being walked; it begins at the first key, walked for 1 min 1 s"},
		{1, status.Range{Seconds: 7201, After: "a"}, `1 being walked; it begins after "a", walked for 2 h 0 min`},
		{16, status.Range{Seconds: 3, After: "a\xff\u202e\n"}, `16 being walked; the oldest begins after "a\xff\u202e\n", walked for 3 s`},
		{16, status.Range{After: strings.Repeat("é", 512)}, `16 being walked; the oldest begins after "` + strings.Repeat("é", 59) + "…" + strings.Repeat("é", 58) + `", walked for 0 s`},
	} {
		m := status.Mapping{Ranges: tt.ranges}
		if tt.ranges > 0 {
			m.OldestRange = &tt.oldest
		}
		if got := rangesText(m); got != tt.want {
			t.Errorf("%d ranges, oldest %+v: got %s, want %s", tt.ranges, tt.oldest, got, tt.want)
		}
	}
}
