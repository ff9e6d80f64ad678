package main

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestArchitecturePaths checks that each file and package named in docs/architecture.md exists, and
// that the page names each Go file of the program.
func TestArchitecturePaths(t *testing.T) {
	text, err := os.ReadFile("../../docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	dir := "" // package named last
	for _, quoted := range regexp.MustCompile("`([a-zA-Z0-9_./*-]+)`").FindAllStringSubmatch(string(text), -1) {
		name := quoted[1]
		switch {
		case !strings.Contains(name, "/") && strings.HasSuffix(name, ".go"):
			name = path.Join(dir, name)
		case name == "internal/" || strings.HasPrefix(name, ".") || strings.Contains(name, "NAME") || strings.HasPrefix(name, "/") || !strings.Contains(name, "/") && !isPackage(name):
			continue // a placeholder, a page of the daemon, or an identifier
		default:
			name = inRepository(name)
		}
		matches, err := filepath.Glob(filepath.Join("../..", name))
		if err != nil || len(matches) == 0 {
			t.Errorf("docs/architecture.md names `%s`, but there is no %s", quoted[1], name)
		}
		for _, file := range matches {
			named[file] = true
		}
		if dir = name; path.Ext(name) != "" || path.Base(name) == "*" {
			dir = path.Dir(name)
		}
	}
	for _, root := range []string{"config", "cmd", "internal"} {
		for _, file := range goFiles(t, filepath.Join("../..", root)) {
			isForTests := strings.HasSuffix(file, "_test.go") || strings.HasSuffix(filepath.Dir(file), "test")
			if !isForTests && !named[file] {
				t.Errorf("docs/architecture.md does not name %s: add a row to the tables of files", file)
			}
		}
	}
}

// inRepository returns a name on the page as a path in the repository.
func inRepository(name string) string {
	switch root, _, _ := strings.Cut(name, "/"); root {
	case "config", "cmd", "docs", "deploy", "tools":
		return name
	default:
		return path.Join("internal", name)
	}
}

func isPackage(name string) bool {
	info, err := os.Stat(filepath.Join("../..", inRepository(name)))
	return err == nil && info.IsDir()
}
