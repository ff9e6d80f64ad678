package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestFaults checks the faults of a module that exceeds each limit and has one import from a higher
// floor.
func TestFaults(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module m\n\ngo 1.26.0\n")
	write("long/long.go", "package long\n"+strings.Repeat("\n", maxLines))
	write("low/low.go", "package low\n\nimport _ \"m/high\"\n")
	write("high/high.go", "package high\n\ntype T struct{}\n\nfunc (T) Exported() {}\nfunc (T) hidden() {}\n")
	write("new/new.go", "package new\n")
	for i := range maxCycle + 1 { // the files need each other through a func, a method, a field, a type and a constant
		uses := []string{"f1()", "T{}.m2()", "_ = T{}.a3", "var _ T4", "_ = c0"}[i]
		declares := []string{"const c0 = 0", "func f1() {}", "func (T) m2() {}", "type T struct{ a3 int }", "type T4 int"}[i]
		write(fmt.Sprintf("knot/f%d.go", i), fmt.Sprintf("package knot\n\n%s\n\nfunc use%d() { %s }\n", declares, i, uses))
	}
	write("knot/apart.go", "package knot\n\nfunc uses() { use0() }\n")
	write("plan.md", "text\n\n| floor | package | is |\n|---|---|---|\n| roof | `high` | a |\n| 2 | `gone`, `long` | b |\n| ground | `low`, `knot` | c |\n\ntext\n")

	var table strings.Builder
	got, err := run(&table, dir, filepath.Join(dir, "plan.md"))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"m/knot has a cycle of 5 files, more than 4: break it between f0.go, f1.go, f2.go, f3.go, f4.go",
		"m/long has 2501 lines, more than 2500: split it",
		"low (ground) imports high (roof): imports point down",
		"new is not on any floor of plan.md: add it to the table",
		"plan.md names gone, which is not a package: correct the table",
	}
	for i := range got {
		got[i] = strings.ReplaceAll(got[i], dir+"/", "")
	}
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, line := range []string{"m/high 6 1 0 2 1 1 1 2", "imports between packages: 1; upward: 1"} {
		if !strings.Contains(strings.Join(strings.Fields(table.String()), " "), line) {
			t.Errorf("got the table\n%s\nwant %q in it", table.String(), line)
		}
	}
}

// TestInvalidPlan checks that a table that cannot be parsed is an error, not a plan without faults.
func TestInvalidPlan(t *testing.T) {
	for text, want := range map[string]string{
		"no table": "no table of floors",
		"\n| floor | package | is |\n|---|---|---|\nx":                            "is not a row",
		"\n| floor | package | is |\n|---|---|---|\n| 9 | a |b|":                  `"9" is not a floor`,
		"\n| floor | package | is |\n|---|---|---|\n| 2 | `a` |b|\n| 3 | `a` |b|": "names a twice",
	} {
		file := filepath.Join(t.TempDir(), "plan.md")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readPlan(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v, want %q in it", text, err, want)
		}
	}
}
