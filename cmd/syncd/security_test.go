package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestThreatModelNamesTests checks that each row of the table in SECURITY.md names at least one
// test, and that the tests exist.
func TestThreatModelNamesTests(t *testing.T) {
	page, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n|---|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	tests := testsOf(t, "../..")
	lines := strings.Split(table, "\n")
	if len(lines) < 15 {
		t.Errorf("got %d lines of the threat model, want the table", len(lines))
	}
	for _, line := range lines {
		named := regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(line, -1)
		if len(named) == 0 {
			t.Errorf("got no test in %q", line)
		}
		for _, name := range named {
			if !tests[name[1]] {
				t.Errorf("got no test %s, which SECURITY.md names", name[1])
			}
		}
	}
}

// testsOf returns the names of the tests in a folder and its subfolders.
func testsOf(t *testing.T, root string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	for _, path := range goFiles(t, root) {
		if !strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
	}
	return names
}
