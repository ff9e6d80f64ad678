package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd/internal/invocation"
)

func writeText(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// TestPolicyWritesOverFiles checks that the command replaces existing files and does not follow
// symbolic links.
func TestPolicyWritesOverFiles(t *testing.T) {
	dir := t.TempDir()
	config, err := filepath.Abs("../../config/examples/share-role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	const name = "222222222222-syncd-consumer-trust.json"
	if err := os.MkdirAll(out, 0o755); err != nil {
		t.Fatal(err)
	}
	writeText(t, filepath.Join(dir, "elsewhere"), "not to be touched", 0o644)
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), filepath.Join(out, name)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var stdout, stderr bytes.Buffer
		p := invocation.Process{
			Stdout: &stdout, Stderr: &stderr, ReadFile: os.ReadFile,
			LookupEnv: func(name string) (string, bool) { return "the-external-id", name == "CONSUMER_EXTERNAL_ID" },
		}
		if code := run(t.Context(), []string{"policy", "--config", config, "-o", out}, p); code != 0 {
			t.Fatalf("got exit %d, want 0; stderr:\n%s", code, stderr.String())
		}
		if strings.Contains(stdout.String()+stderr.String(), "the-external-id") {
			t.Errorf("got the external id on the terminal: %s%s", stdout.String(), stderr.String())
		}
	}
	text, err := os.ReadFile(filepath.Join(out, name))
	if err != nil || !strings.Contains(string(text), "the-external-id") {
		t.Errorf("got %s, %v, want the external id in it", text, err)
	}
	entries, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode() != 0o600 || !strings.HasSuffix(e.Name(), ".json") {
			t.Errorf("%s: got %v, %v, want documents of mode 0600", e.Name(), info.Mode(), err)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "elsewhere")); err != nil || string(text) != "not to be touched" {
		t.Errorf("got %q, %v in the target of the link, want it unchanged", text, err)
	}
}
