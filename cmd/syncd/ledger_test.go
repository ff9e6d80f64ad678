package main

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
)

// TestStatusAndExport read the ledger from the store alone.
func TestStatusAndExport(t *testing.T) {
	s := newSite(t, nil)
	if got := s.run(t.Context(), "status"); got.code != 0 || !strings.Contains(got.stdout, "generation   none yet") {
		t.Errorf("before the first pass: got exit %d, %q", got.code, got.stdout)
	}
	for _, key := range []string{"a", "with,comma and \"quotes\"", "line\nbreak", "<é>"} {
		s.source.Put(key, awsfake.BytesBody([]byte(key)), awsfake.PutOptions{})
	}
	s.source.Put("denied", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	defer s.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "denied", Kind: awsfake.AccessDenied})()
	var during string
	defer s.cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "a", Do: func() { during = s.run(t.Context(), "status").stdout }})()
	if got := s.run(t.Context(), "backfill"); got.code != 3 {
		t.Fatalf("got exit %d, want 3; stderr:\n%s", got.code, got.stderr)
	}
	if !strings.Contains(during, "lease        held by ") {
		t.Errorf("while a pass is under way: got %q, want the holder of the lease", during)
	}
	s.cloud.ResetRequests()

	var told status
	got := s.run(t.Context(), "status", "--json")
	if err := json.Unmarshal([]byte(got.stdout), &told); err != nil {
		t.Fatalf("decode %q: %v", got.stdout, err)
	}
	if told.Generation != 1 || told.Entries != 4 || told.Quarantined["denied"] != 1 || told.Pass != nil || told.CommittedAt == nil ||
		told.AgeSeconds < 0 || told.AgeSeconds > time.Hour.Seconds() {
		t.Errorf("got %+v, want generation 1 with 4 entries and 1 denied", told)
	}
	if text := s.run(t.Context(), "status").stdout; !strings.Contains(text, "quarantined  denied 1") || !strings.Contains(text, "4 entries") {
		t.Errorf("got %q, want it to tell of 4 entries and 1 denied", text)
	}
	s.exports(t)
	if requests := s.cloud.Requests(); len(requests) != 0 {
		t.Errorf("got requests %v, want none: all is in the store", requests)
	}
}

func (s *site) exports(t *testing.T) {
	t.Helper()
	want := s.destination.Keys()
	rows, err := csv.NewReader(strings.NewReader(s.run(t.Context(), "ledger", "export", "--mapping", demoMapping, "--format", "csv").stdout)).ReadAll()
	if err != nil || len(rows) != 5 {
		t.Fatalf("got %d rows, %v, want a header and 4 rows", len(rows), err)
	}
	var keys []string
	for _, row := range rows[1:] {
		keys = append(keys, row[0])
	}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("keys in CSV (-want +got):\n%s", diff)
	}
	keys = nil
	for line := range strings.Lines(s.run(t.Context(), "ledger", "export", "--mapping", demoMapping).stdout) {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, row["key"].(string))
		var names []string
		for _, name := range rows[0] {
			if _, ok := row[name]; ok {
				names = append(names, name)
			}
		}
		if diff := cmp.Diff(rows[0], names); diff != "" || len(row) != len(rows[0]) {
			t.Errorf("columns of JSON and CSV differ:\n%s", diff)
		}
	}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("keys in JSON lines (-want +got):\n%s", diff)
	}
	if got := s.run(t.Context(), "ledger", "export"); got.code != 2 || !strings.Contains(got.stderr, "name one mapping with --mapping") {
		t.Errorf("without a mapping: got exit %d, %q", got.code, got.stderr)
	}
}
