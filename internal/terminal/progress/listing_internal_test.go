package progress

import (
	"bytes"
	"testing"
	"time"
)

// TestListingPrintsLines checks that a listing prints a line every lineInterval, and that a short
// listing prints none.
func TestListingPrintsLines(t *testing.T) {
	now, out := time.Time{}, &bytes.Buffer{}
	l := ShowListing(out, func() time.Time { return now }, "m")
	for i := range 3000 {
		if i == 1500 {
			now = now.Add(lineInterval)
		}
		l.Count()
	}
	l.Clear()
	if got, want := out.String(), "m: planned 2,000 objects, 2 pages\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
