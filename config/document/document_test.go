package document_test

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"

	"syncd/config/document"
	"syncd/config/fault"
)

func TestParseRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"empty":          {"", "x.yaml:1: the file is empty; start from one of the examples"},
		"comments alone": {"# nothing\n---\n", "x.yaml:1: the file is empty"},
		"two documents":  {"a: 1\n---\nb: 2\n", "x.yaml:2: a second document begins"},
		"no YAML":        {"a: [\"secret\"\n", "x.yaml:1: not YAML: "},
		"a template":     {"a: {{ .x }}\n", "if this is a template, render it first"},
		"brackets":       {"a: " + strings.Repeat("[", 101), "nested too deeply"},
		"dashes":         {strings.Repeat("- ", 101) + "a", "nested too deeply"},
		"keys":           {strings.Repeat("a: 1\n", 5001), "x.yaml:5001: a mapping of more than 5000 keys"},
		"keys in a flow": {"{" + strings.Repeat("a: 1, ", 5001) + "}", "a mapping of more than 5000 keys"},
		"a text":         {"a: " + strings.Repeat("x", 17<<10), "x.yaml:1: a value of more than 16384 bytes"},
	} {
		r := fault.NewReport("x.yaml")
		doc := document.Parse([]byte(tt.text), "password", r)
		if faults := r.Faults(); doc != nil || faults == nil || !strings.Contains(faults.Error(), tt.want) || strings.Contains(faults.Error(), "secret") {
			t.Errorf("%s: got %v and faults %v, want %q", name, doc, faults, tt.want)
		}
	}
}

// TestHidden checks that text under the key with a secret is hidden wherever an alias repeats it,
// and that faults do not show it.
func TestHidden(t *testing.T) {
	const text = "\ufeffa: &x plain\npassword: {file: /run/word, other: &y hunter22}\nb: *y\nc: [*x, *none]\n"
	r := fault.NewReport("x.yaml")
	doc := document.Parse([]byte(text), "password", r)
	if doc == nil {
		t.Fatal(r.Faults())
	}
	pairs, ok := document.Pairs(doc.Root)
	if !ok || len(pairs) != 4 {
		t.Fatalf("got %d pairs, want 4", len(pairs))
	}
	if alias := pairs[2].Value.(*ast.AliasNode); !doc.Hidden(doc.Target(alias)) || document.Text(doc.Target(alias)) != "hunter22" {
		t.Errorf("got %v, want the hidden word", doc.Target(alias))
	}
	list := pairs[3].Value.(*ast.SequenceNode)
	if alias := list.Values[0].(*ast.AliasNode); doc.Hidden(doc.Target(alias)) || document.Text(doc.Target(alias)) != "plain" {
		t.Errorf("got %v, want the plain word", doc.Target(alias))
	}
	if got := doc.Target(list.Values[1].(*ast.AliasNode)); got != nil {
		t.Errorf("got %v, want no target", got)
	}
	r.Add("b", `"hunter22" of /run/word`, "")
	if got, want := r.Faults().Error(), `x.yaml:1: b: "[redacted]" of [redacted]`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestKinds(t *testing.T) {
	r := fault.NewReport("x.yaml")
	doc := document.Parse([]byte("[word, 'text', 1, 1.5, true, .inf, [], {a: 1}]"), "", r)
	if doc == nil {
		t.Fatal(r.Faults())
	}
	want := []string{"text", "text", "a number", "a number", "a boolean", "infinite or NaN", "a list", "a mapping"}
	for i, value := range doc.Root.(*ast.SequenceNode).Values[:len(want)] {
		if got := document.Kind(value); got != want[i] {
			t.Errorf("%s: got %q, want %q", value, got, want[i])
		}
	}
	if _, ok := document.Pairs(doc.Root); ok {
		t.Error("a list has pairs")
	}
}
