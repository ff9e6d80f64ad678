package main_test

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestArchitecturePaths checks that each file and package named in docs/architecture.md exists.
func TestArchitecturePaths(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	var files int
	dir := "" // package named last
	for _, quoted := range regexp.MustCompile("`([a-zA-Z0-9_./*-]+)`").FindAllStringSubmatch(string(text), -1) {
		name := quoted[1]
		switch {
		case !strings.Contains(name, "/") && strings.HasSuffix(name, ".go"):
			name = path.Join(dir, name)
		case name == "internal/" || strings.Contains(name, "NAME") || strings.HasPrefix(name, "/") || !strings.Contains(name, "/") && !isPackage(name):
			continue // a placeholder, a page of the daemon, or an identifier
		default:
			name = inRepository(name)
		}
		if matches, err := filepath.Glob(filepath.Join("../..", name)); err != nil || len(matches) == 0 {
			t.Errorf("docs/architecture.md names `%s`, but there is no %s", quoted[1], name)
		}
		if dir = name; path.Ext(name) != "" || path.Base(name) == "*" {
			dir = path.Dir(name)
			files++
		}
	}
	if files < 100 {
		t.Errorf("got %d files, want at least 100: is the page still written with `path/file.go`?", files)
	}
}

// inRepository returns a name on the page as a path in the repository.
func inRepository(name string) string {
	switch root, _, _ := strings.Cut(name, "/"); root {
	case "config", "cmd", "docs", "deploy", "bench":
		return name
	default:
		return path.Join("internal", name)
	}
}

func isPackage(name string) bool {
	info, err := os.Stat(filepath.Join("../..", inRepository(name)))
	return err == nil && info.IsDir()
}
