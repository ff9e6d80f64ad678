package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// idioms are phrases that a reader has to guess at.
var idioms = regexp.MustCompile(`(?i)\banew\b|\bwhoever\b|\b(?:goes|go|gone|went) on (?:where|from|with|as)\b|\b(?:taken up|takes up (?:the|an?|it))\b|\bunder way\b|` +
	`\b(?:says|tells) so\b|\b(?:tells|told) (?:that|whether|which|what|how|when|who|of|apart)\b|\b(?:is|are|was|were) told\b|\bbeside\b|` +
	`\bfor want of\b|\b(?:is|are) to be \w+ed\b|\b(?:state|ledger|record|copy|file|cure|configuration)s? (?:lie|lies)\b|` +
	`\bthe books\b|\bput it away\b|\bgets? on\b|\bnobody,? [a-z]|\bthe house\b|\bcomes? to (?:its|an|the) end\b`)

// TestProseIsPlain checks that comments, messages and pages contain none of the idioms. Words to
// use instead of the idioms: from scratch, the process that, continues, resumes, in progress,
// reports, shows, next to, without, must be, is stored, ends. The test cannot find every sentence
// that is hard to read; read a sentence aloud to find out.
func TestProseIsPlain(t *testing.T) {
	skipIfShort(t)
	for name, text := range documents(t) {
		for i, line := range strings.Split(text, "\n") {
			if found := idioms.FindString(line); found != "" {
				t.Errorf("%s:%d: got %q, want plain words", name, i+1, found)
			}
		}
	}
	files := goFiles(t, "../..")
	for _, path := range files {
		if filepath.Base(path) != "prose_test.go" {
			checkProse(t, path)
		}
	}
	if len(files) < 900 {
		t.Errorf("read %d files, want all", len(files))
	}
}

// checkProse checks the comments and the string literals of a file. It skips the string literals of
// the fake of AWS, because they are the texts of AWS.
func checkProse(t *testing.T, path string) {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	check := func(at token.Pos, text string) {
		if found := idioms.FindString(text); found != "" {
			t.Errorf("%s: got %q, want plain words", files.Position(at), found)
		}
	}
	for _, group := range file.Comments {
		check(group.Pos(), strings.Join(strings.Fields(group.Text()), " "))
	}
	if strings.Contains(path, "awsfake") {
		return
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if text, err := strconv.Unquote(lit.Value); err == nil {
				check(lit.Pos(), text)
			}
		}
		return true
	})
}
