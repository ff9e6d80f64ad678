package record

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestProgressWithoutClaims checks that a progress record of a version without claims claims every
// key.
func TestProgressWithoutClaims(t *testing.T) {
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
		if diff := cmp.Diff(tt.want, p.Claimed()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.record, diff)
		}
	}
}
