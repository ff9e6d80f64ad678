package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"syncd/internal/awsfake"
	"syncd/internal/demo"
	"syncd/internal/report"
)

// TestDoctorCountsForeignObjects checks that the doctor counts the objects that already exist at a
// destination, separately for objects that cannot be copies and objects that may be copies, and
// that it counts none after the first pass.
func TestDoctorCountsForeignObjects(t *testing.T) {
	s := newSite(t, nil)
	text := func(bucket *awsfake.Bucket, key, content string) {
		bucket.Put(key, awsfake.BytesBody([]byte(content)), awsfake.PutOptions{})
	}
	for i := range 5 {
		text(s.Source, fmt.Sprintf("%d", i), "an original")
	}
	text(s.Destination, "1", "of another size")
	text(s.Destination, "2", "of another length")
	text(s.Destination, "3", "as original")
	text(s.Destination, "not-at-the-source", "x")

	got := s.run(t.Context(), "doctor")
	want := "already has 3 objects under keys that the first pass will write: 2 cannot be copies, 1 may be copies; the first pass quarantines objects that are not copies as foreign"
	if got.code != 0 || !strings.Contains(got.stdout, want) || !strings.Contains(got.stdout, "syncd backfill --take-over") {
		t.Errorf("got code %d and\n%s%s\nwant %q", got.code, got.stdout, got.stderr, want)
	}
	got = s.run(t.Context(), "doctor", "--json")
	var d struct{ Occupied []report.Occupied }
	if err := json.Unmarshal([]byte(got.stdout), &d); err != nil || len(d.Occupied) != 1 ||
		d.Occupied[0] != (report.Occupied{Mapping: demo.Mapping, Compared: 5, Complete: true, Foreign: 2, Doubtful: 1}) {
		t.Errorf("got %+v, %v", d, err)
	}

	if got := s.run(t.Context(), "backfill"); got.code != 3 {
		t.Fatalf("backfill: got code %d, want 3; stderr:\n%s", got.code, got.stderr)
	}
	if got := s.run(t.Context(), "doctor"); got.code != 0 || strings.Contains(got.stdout, "holds something") {
		t.Errorf("after a pass: got code %d and\n%s", got.code, got.stdout)
	}
	if got := s.run(t.Context(), "backfill", "--take-over"); got.code != 0 {
		t.Errorf("take over: got code %d, want 0; stderr:\n%s", got.code, got.stderr)
	}
}
