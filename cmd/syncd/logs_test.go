package main

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/awsfake"
)

// logLine is a log line of the program or of docs/logs.md.
type logLine struct {
	level, message string
	fields         []string
}

func (l logLine) String() string {
	return l.level + " | " + l.message + " | " + strings.Join(l.fields, ", ")
}

// TestLogsAreDocumented checks that docs/logs.md has every log message in the code, with its level
// and fields, and no others.
func TestLogsAreDocumented(t *testing.T) {
	var written, documented []string
	for _, root := range []string{".", "../../internal"} {
		for _, path := range goFiles(t, root) {
			if !strings.HasSuffix(path, "_test.go") {
				written = append(written, linesIn(t, path)...)
			}
		}
	}
	text, err := os.ReadFile("../../docs/logs.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile(`(?m)^\| (Debug|Info|Warn|Error) \| ([^|]+) \|([^|]*)\|`)
	_, events, _ := strings.Cut(string(text), "## Events")
	for _, match := range row.FindAllStringSubmatch(events, -1) {
		var fields []string
		for _, field := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(match[3], -1) {
			fields = append(fields, field[1])
		}
		documented = append(documented, logLine{match[1], strings.TrimSpace(match[2]), fields}.String())
	}
	slices.Sort(written)
	slices.Sort(documented)
	if diff := cmp.Diff(documented, slices.Compact(written)); diff != "" {
		t.Errorf("lines of the log (-docs/logs.md +code):\n%s", diff)
	}
}

// linesIn finds the calls of a logger in a file.
func linesIn(t *testing.T, path string) (lines []string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || !isLogger(method.X) || !slices.Contains([]string{"Debug", "Info", "Warn", "Error"}, method.Sel.Name) {
			return true
		}
		line := logLine{level: method.Sel.Name, message: literal(call.Args[0])}
		for i := 1; i < len(call.Args); i += 2 {
			line.fields = append(line.fields, literal(call.Args[i]))
		}
		lines = append(lines, line.String())
		return true
	})
	return lines
}

// isLogger reports whether e is a logger by its name: log, logger, or a field Logger.
func isLogger(e ast.Expr) bool {
	name := ""
	switch x := e.(type) {
	case *ast.Ident:
		name = x.Name
	case *ast.SelectorExpr:
		name = x.Sel.Name
	}
	return strings.EqualFold(name, "log") || strings.EqualFold(name, "logger")
}

// literal returns the value of a string literal, or "" for any other expression.
func literal(e ast.Expr) string {
	if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
		text, _ := strconv.Unquote(lit.Value)
		return text
	}
	return ""
}

// TestEveryLineNamesMappingAndPass checks that every line of the debug log of a pass with errors
// names its mapping and pass.
func TestEveryLineNamesMappingAndPass(t *testing.T) {
	s := newSite(t, nil)
	for _, key := range []string{"a", "b", "c"} {
		s.Source.Put(key, awsfake.BytesBody([]byte(key)), awsfake.PutOptions{})
	}
	s.Cloud.Inject(awsfake.Fault{Operation: "CopyObject", Key: "b", Kind: awsfake.AccessDenied})
	lines := bytes.Split(bytes.TrimSpace([]byte(s.run(t.Context(), "backfill", "--json", "--log-level", "debug").stderr)), []byte("\n"))
	seen := map[string]bool{}
	for _, line := range lines {
		if !bytes.HasPrefix(line, []byte("{")) {
			continue // the line is progress or the error of the command
		}
		fields := fieldsOf(t, line)
		seen[fields["msg"]] = true
		if fields["mapping"] == "" || fields["pass"] == "" {
			t.Errorf("got no mapping or no pass in %s", line)
		}
	}
	for _, msg := range []string{"object copied", "object quarantined", "pass ended"} {
		if !seen[msg] {
			t.Errorf("got no line %q in\n%s", msg, bytes.Join(lines, []byte("\n")))
		}
	}
}

// fieldsOf decodes a log line. It fails the test if a field occurs twice.
func fieldsOf(t *testing.T, line []byte) map[string]string {
	t.Helper()
	fields := map[string]string{}
	d := json.NewDecoder(bytes.NewReader(line))
	if _, err := d.Token(); err != nil {
		t.Fatalf("decode %s: %v", line, err)
	}
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			t.Fatalf("decode %s: %v", line, err)
		}
		if _, ok := fields[name.(string)]; ok {
			t.Errorf("field %s stands twice in %s", name, line)
		}
		fields[name.(string)] = strings.Trim(string(value), `"`)
	}
	return fields
}
