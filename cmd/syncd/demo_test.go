package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestDemoRemovesOnlyItsOwnLedger starts in a folder of an earlier demo, and in one of somebody else.
func TestDemoRemovesOnlyItsOwnLedger(t *testing.T) {
	for _, tt := range []struct {
		name, former string
		kept         bool
	}{
		{"an earlier demo", demoConfig, false},
		{"somebody's configuration", "state: file:state\n", true},
		{"no configuration", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			ledger := filepath.Join(dir, "state", "ledger")
			if err := os.Mkdir(filepath.Dir(ledger), 0o700); err != nil {
				t.Fatal(err)
			}
			for path, text := range map[string]string{ledger: "x", filepath.Join(dir, "syncd.yaml"): tt.former} {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := newWorld(time.Now).write(dir); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(ledger); (err == nil) != tt.kept {
				t.Errorf("got %v, want the ledger kept: %v", err, tt.kept)
			}
		})
	}
}
