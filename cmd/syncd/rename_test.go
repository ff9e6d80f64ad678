package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd/internal/awsfake"
)

// TestRenameRefusesALedgerThatDoesNotFit names what differs and the ledger that fits, and moves nothing.
func TestRenameRefusesALedgerThatDoesNotFit(t *testing.T) {
	s := severalSite(t)
	s.source.Put("k", awsfake.BytesBody([]byte("x")), awsfake.PutOptions{})
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
		"a":       `destination.prefix is "a/" in the ledger and "b/" in the configuration; hint: what fits is the ledger of b`,
		"bb":      `hint: did you mean `,
		"nothing": `hint: use one of a, b`,
	} {
		if got := rename(from); got.code != 1 || !strings.Contains(got.stderr, want) || strings.Contains(got.stderr, "source.") {
			t.Errorf("from %s: got exit %d, %q, want 1 and %q", from, got.code, got.stderr, want)
		}
	}
	if got := rename("exports"); got.code != exitUsage || !strings.Contains(got.stderr, `--from and --mapping both name "exports"`) {
		t.Errorf("from itself: got exit %d, %q", got.code, got.stderr)
	}
	for name, was := range before {
		if now := tree(t, s.dir)[name]; now != was && filepath.Base(name) != "lock" {
			t.Errorf("got another %s after refusals", name)
		}
	}
	if got := rename("b"); got.code != 0 || !strings.Contains(got.stdout, "1 entries") {
		t.Errorf("from b: got exit %d, %q", got.code, got.stderr)
	}
	if got := s.run(t.Context(), "ledger", "rename", "--from", "a", "--mapping", "c"); got.code != 1 || !strings.Contains(got.stderr, "no ledger of this state fits") {
		t.Errorf("to a mapping that nothing fits: got exit %d, %q", got.code, got.stderr)
	}
}
