package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"syncd/config"
	"syncd/config/fault"
)

// FuzzParse checks that Parse returns either a configuration or faults for any input, that each
// fault has a line of the file, and that its text is on one line.
func FuzzParse(f *testing.F) {
	paths, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	more, err := filepath.Glob("examples/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range append(paths, more...) {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse(data, "syncd.yaml")
		if err == nil {
			if len(c.Mappings) == 0 || c.State == "" {
				t.Errorf("got a configuration without mappings or state: %v", c)
			}
			return
		}
		faults, ok := errors.AsType[*fault.Faults](err)
		if !ok || len(*faults) == 0 || c != nil {
			t.Fatalf("got %v and %v, want only faults", c, err)
		}
		lines := 1 + strings.Count(string(data), "\n") + strings.Count(string(data), "\r")
		for _, fault := range *faults {
			if fault.Line < 1 || fault.Line > lines || strings.ContainsAny(fault.String(), "\r\n") {
				t.Errorf("got fault %q of a file with %d lines", fault, lines)
			}
		}
	})
}
