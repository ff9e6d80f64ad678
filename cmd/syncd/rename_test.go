package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"syncd/internal/awsfake"
	"syncd/internal/demo"
	"syncd/internal/exit"
)

// TestRenameRefusesALedgerThatDoesNotFit checks that the message names the difference and the
// ledger that fits, and that nothing is renamed.
func TestRenameRefusesALedgerThatDoesNotFit(t *testing.T) {
	s := severalSite(t)
	s.Source.Put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	if got := s.run(t.Context(), "backfill", "--mapping", "a", "--mapping", "b"); got.code != 0 {
		t.Fatal(got.stderr)
	}
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.config, []byte(strings.Replace(string(text), "name: b\n", "name: exports\n", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	rename := func(from string) outcome {
		return s.run(t.Context(), "ledger", "rename", "--from", from, "--mapping", "exports")
	}
	before := tree(t, s.dir)
	for from, want := range map[string]string{
		"a":       `destination.prefix is "a/" in the ledger and "b/" in the configuration; hint: the ledger of b would fit`,
		"bb":      `hint: did you mean `,
		"nothing": `hint: use one of a, b`,
	} {
		if got := rename(from); got.code != 1 || !strings.Contains(got.stderr, want) || strings.Contains(got.stderr, "source.") {
			t.Errorf("from %s: got exit %d, %q, want 1 and %q", from, got.code, got.stderr, want)
		}
	}
	if got := rename("exports"); got.code != exit.CodeUsage || !strings.Contains(got.stderr, `--from and --mapping both name "exports"`) {
		t.Errorf("from itself: got exit %d, %q", got.code, got.stderr)
	}
	for name, was := range before {
		if now := tree(t, s.dir)[name]; now != was && filepath.Base(name) != "lock" {
			t.Errorf("got another %s after refusals", name)
		}
	}
	if left, err := os.ReadDir(filepath.Join(s.dir, "state")); err != nil || slices.ContainsFunc(left, func(e os.DirEntry) bool { return e.Name() == "bb" || e.Name() == "nothing" }) {
		t.Errorf("got %v, %v, want no folder with a mistyped name", left, err)
	}
	if got := rename("b"); got.code != 0 || !strings.Contains(got.stdout, "1 entries") {
		t.Errorf("from b: got exit %d, %q", got.code, got.stderr)
	}
	if got := s.run(t.Context(), "ledger", "rename", "--from", "a", "--mapping", "c"); got.code != 1 || !strings.Contains(got.stderr, "no ledger in this state fits") {
		t.Errorf("rename to a mapping without a fitting ledger: got exit %d, %q", got.code, got.stderr)
	}
}

// TestRenameKeepsPauseAndHistory checks that a renamed mapping has the pause and the history of the
// old name.
func TestRenameKeepsPauseAndHistory(t *testing.T) {
	s := newSite(t, nil)
	s.Source.Put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
	s.expect(t, 0, "", "", "backfill")
	s.expect(t, 0, "paused by", "", "pause", "--mapping", demo.Mapping, "--wait=0s")
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	renamed := regexp.MustCompile("name: "+demo.Mapping+`\b`).ReplaceAll(text, []byte("name: renamed"))
	if err := os.WriteFile(s.config, renamed, 0o600); err != nil {
		t.Fatal(err)
	}
	s.expect(t, 0, "renamed is paused, as "+demo.Mapping+" was", "", "ledger", "rename", "--from", demo.Mapping, "--mapping", "renamed")
	got := s.expect(t, 0, "paused       by ", "", "status", "--mapping", "renamed", "--history")
	if !strings.Contains(got.stdout, "pass 1 complete") {
		t.Errorf("got no history of the former name:\n%s", got.stdout)
	}
	s.expect(t, 0, "resumed", "", "resume", "--mapping", "renamed", "--wait=0s")
	s.expect(t, 0, "0 objects, 0 B", "", "backfill")
}
