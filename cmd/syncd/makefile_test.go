package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTargetsRunTests checks that every test that the Makefile selects by name exists in every
// selected folder, because go test passes if no test matches.
func TestTargetsRunTests(t *testing.T) {
	commands := regexp.MustCompile(`(?m)^\t(?:cd (\S+) && )?go test (.*?)-run '([^']*)'`).FindAllStringSubmatch(string(readText(t, "../../Makefile")), -1)
	if len(commands) < 20 {
		t.Fatalf("found %d commands that choose tests, want more", len(commands))
	}
	for _, command := range commands {
		var declared strings.Builder
		folders := regexp.MustCompile(`(?:^|\s)\.\S*`).FindAllString(command[2], -1)
		for _, folder := range folders {
			declared.WriteString(declaredTests(t, filepath.Join("../..", command[1], strings.TrimSpace(folder))))
		}
		for name := range strings.SplitSeq(strings.ReplaceAll(command[3], "$$", "$"), "|") {
			if name == "^$" { // a command for benchmarks or fuzz targets
				continue
			}
			if !regexp.MustCompile(`(?m)` + name).MatchString(declared.String()) {
				t.Errorf("got no test %s in %s, want one", name, folders)
			}
		}
	}
}

// declaredTests returns the names of the tests in a folder, one per line.
func declaredTests(t *testing.T, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var names strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(string(text), -1) {
			names.WriteString(match[1] + "\n")
		}
	}
	return names.String()
}
