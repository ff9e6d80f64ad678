package syncer

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestTallyOfRanges checks how many ranges the progress and the summary count, and that the oldest
// range is the one whose walk began first, or the lowest of those that began at the same time.
func TestTallyOfRanges(t *testing.T) {
	start := time.Unix(0, 0)
	now := start
	tally := newTally("m", func() time.Time { return now })
	check := func(want Progress, ranges int) {
		t.Helper()
		if diff := cmp.Diff(want, tally.progress()); diff != "" {
			t.Errorf("progress (-want +got):\n%s", diff)
		}
		if got := tally.summary().Ranges; got != ranges {
			t.Errorf("got %d ranges in the summary, want %d", got, ranges)
		}
	}
	check(Progress{}, 0)
	endC := tally.part("c")
	check(Progress{Ranges: 1, OldestRange: start, OldestAfter: "c"}, 0)
	endB := tally.part("b")
	endD := tally.part("d")
	check(Progress{Ranges: 3, OldestRange: start, OldestAfter: "b"}, 3)
	now = now.Add(time.Second)
	endA := tally.part("a")
	endB()
	check(Progress{Ranges: 3, RangesWalked: 1, OldestRange: start, OldestAfter: "c"}, 4)
	endC()
	endD()
	check(Progress{Ranges: 1, RangesWalked: 3, OldestRange: now, OldestAfter: "a"}, 4)
	endA()
	check(Progress{RangesWalked: 4}, 4)
}
