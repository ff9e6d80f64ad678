package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
	"syncd/internal/demo"
	"syncd/internal/status"
)

// TestStatusAndExport checks that status and export read only the store.
func TestStatusAndExport(t *testing.T) {
	s := newSite(t, nil)
	if got := s.run(t.Context(), "status"); got.code != 0 || !strings.Contains(got.stdout, "generation   none yet") {
		t.Errorf("before the first pass: got exit %d, %q", got.code, got.stdout)
	}
	for _, key := range []string{"a", "with,comma and \"quotes\"", "line\nbreak", "<é>"} {
		s.Source.Put(key, awsfake.BytesBody([]byte(key)), awsfake.PutOptions{})
	}
	s.Source.Put("denied", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	defer s.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "denied", Kind: awsfake.AccessDenied})()
	var during string
	defer s.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "a", Do: func() { during = s.run(t.Context(), "status").stdout }})()
	if got := s.run(t.Context(), "backfill"); got.code != 3 {
		t.Fatalf("got exit %d, want 3; stderr:\n%s", got.code, got.stderr)
	}
	if !strings.Contains(during, "lease        held by ") {
		t.Errorf("while a pass is in progress: got %q, want the holder of the lease", during)
	}
	s.Cloud.ResetRequests()

	var ledger status.Status
	got := s.run(t.Context(), "status", "--json")
	if err := json.Unmarshal([]byte(got.stdout), &ledger); err != nil {
		t.Fatalf("decode %q: %v", got.stdout, err)
	}
	if ledger.Generation != 1 || ledger.Entries != 4 || ledger.Quarantined["denied"] != 1 || ledger.Pass != nil || ledger.CommittedAt == nil ||
		ledger.AgeSeconds < 0 || ledger.AgeSeconds > time.Hour.Seconds() {
		t.Errorf("got %+v, want generation 1 with 4 entries and 1 denied", ledger)
	}
	if text := s.run(t.Context(), "status").stdout; !strings.Contains(text, "quarantined  denied 1") || !strings.Contains(text, "4 entries") {
		t.Errorf("got %q, want it to report 4 entries and 1 denied", text)
	}
	s.exports(t)
	if requests := s.Cloud.Requests(); len(requests) != 0 {
		t.Errorf("got requests %v, want none: all data is in the store", requests)
	}
}

func (s *site) exports(t *testing.T) {
	t.Helper()
	want := s.Destination.Keys()
	rows, err := csv.NewReader(strings.NewReader(s.run(t.Context(), "ledger", "export", "--mapping", demo.Mapping, "--format", "csv").stdout)).ReadAll()
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
	for line := range strings.Lines(s.run(t.Context(), "ledger", "export", "--mapping", demo.Mapping).stdout) {
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

// TestRenamedMapping checks that nothing is copied again after a mapping and its ledger are
// renamed.
func TestRenamedMapping(t *testing.T) {
	s := newSite(t, nil)
	for i := range 30 {
		s.Source.Put(fmt.Sprintf("k%02d", i), awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	}
	if got := s.run(t.Context(), "backfill"); got.code != 0 {
		t.Fatal(got.stderr)
	}
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.config, []byte(strings.Replace(string(text), "name: "+demo.Mapping, "name: renamed", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := s.run(t.Context(), "ledger", "rename", "--from", "nobody", "--mapping", "renamed"); got.code != 1 || !strings.Contains(got.stderr, `"nobody"`) {
		t.Errorf("from a name that never was: got exit %d, %q", got.code, got.stderr)
	}
	if got := s.run(t.Context(), "ledger", "rename", "--from", demo.Mapping, "--mapping", "renamed"); got.code != 0 || !strings.Contains(got.stdout, "30 entries") {
		t.Fatalf("got exit %d, %q, %q", got.code, got.stdout, got.stderr)
	}
	s.Cloud.ResetRequests()
	if got := lastLine(t, s.run(t.Context(), "backfill", "--json").stdout); got.Unchanged != 30 || got.Adopted != 0 || got.Copied != 0 {
		t.Errorf("got %+v, want all unchanged", got)
	}
	if got := s.run(t.Context(), "ledger", "rename", "--from", demo.Mapping, "--mapping", "renamed"); got.code != 1 || !strings.Contains(got.stderr, "already has a ledger") {
		t.Errorf("once more: got exit %d, %q", got.code, got.stderr)
	}
}

// TestRenamedMappingIsOfferedItsLedger checks that a pass of a renamed mapping logs which ledger
// fits, and adopts the existing copies.
func TestRenamedMappingIsOfferedItsLedger(t *testing.T) {
	s := newSite(t, nil)
	s.Source.Put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	if got := s.run(t.Context(), "backfill"); got.code != 0 {
		t.Fatal(got.stderr)
	}
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.config, []byte(strings.Replace(string(text), "name: "+demo.Mapping, "name: renamed", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	got := s.run(t.Context(), "backfill", "--json")
	if !strings.Contains(got.stderr, "syncd ledger rename") || !strings.Contains(got.stderr, `"from":"`+demo.Mapping+`"`) {
		t.Errorf("got stderr %q, want the ledger that fits", got.stderr)
	}
	if summary := lastLine(t, got.stdout); summary.Adopted != 1 || summary.Copied != 0 {
		t.Errorf("got %+v, want the copy adopted", summary)
	}
}

// TestExportForASpreadsheet checks that --for-spreadsheet writes no cell that a spreadsheet would
// execute, and that plain CSV contains the exact keys.
func TestExportForASpreadsheet(t *testing.T) {
	s := newSite(t, nil)
	keys := []string{"\tx", "\r\nx", "+1", "-1", "=cmd|' /C calc'!A0", "@SUM(A1)", "a;=1", "bell\a", "plain", "＝1"}
	for _, key := range keys {
		s.Source.Put(key, awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	}
	if got := s.run(t.Context(), "backfill"); got.code != 0 {
		t.Fatalf("got exit %d; stderr:\n%s", got.code, got.stderr)
	}
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"--format", "csv"}, keys},
		{[]string{"--for-spreadsheet"}, []string{`'\tx`, `'\r\nx`, "'+1", "'-1", "'=cmd|' /C calc'!A0", "'@SUM(A1)", "a;=1", `bell\a`, "plain", "'＝1"}},
	} {
		out := s.run(t.Context(), append([]string{"ledger", "export", "--mapping", demo.Mapping}, tt.args...)...).stdout
		// encoding/csv reads "\r\n" inside quotes as "\n".
		rows, err := csv.NewReader(strings.NewReader(strings.ReplaceAll(out, "\"\r\nx\"", "\"\r\r\nx\""))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range rows[1:] {
			got = append(got, row[0])
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.args, diff)
		}
	}
	got := s.run(t.Context(), "ledger", "export", "--mapping", demo.Mapping, "--for-spreadsheet", "--format", "jsonl")
	if want := "--for-spreadsheet requires --format csv"; got.code != 2 || !strings.Contains(got.stderr, want) {
		t.Errorf("got exit %d, %q, want 2 and %q", got.code, got.stderr, want)
	}
}
