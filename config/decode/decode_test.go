package decode_test

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"
	"github.com/google/go-cmp/cmp"

	"syncd/config/decode"
	"syncd/config/document"
	"syncd/config/fault"
	"syncd/config/secret"
	"syncd/config/value"
)

// colour is a choice.
type colour string

func (colour) Choices() []string { return []string{"red", "green"} }

// loud decodes itself.
type loud string

func (l *loud) DecodeNode(d *decode.Decoder, n ast.Node, path string) {
	if text, ok := d.Text(n, path); ok {
		*l = loud(strings.ToUpper(text))
	}
}

type step struct {
	Name  string         `yaml:"name" jsonschema:"required"`
	Paint colour         `yaml:"paint"`
	Wait  value.Duration `yaml:"wait"`
}

type recipe struct {
	Title    string            `yaml:"title"`
	Open     bool              `yaml:"open"`
	Portions int64             `yaml:"portions"`
	Height   float64           `yaml:"height"`
	Deep     *bool             `yaml:"deep"`
	Steps    []step            `yaml:"steps"`
	Parts    map[string]step   `yaml:"parts"`
	Words    map[string]string `yaml:"words"`
	Shout    loud              `yaml:"shout"`
	Password secret.ExternalID `yaml:"password"`
}

func decoded(t *testing.T, text string) (recipe, string) {
	t.Helper()
	h, r := recipe{Title: "default"}, fault.NewReport("x.yaml")
	doc := document.Parse([]byte(text), "password", r)
	if doc == nil {
		t.Fatal(r.Faults())
	}
	decode.Decode(doc, &h, decode.Schema{
		Default: func(element any) {
			if s, ok := element.(*step); ok {
				s.Paint = "green"
			}
		},
		MayHold: func(path, _ string) bool { return path == "words.free" },
	}, r)
	problems := r.Warnings().Error()
	if faults := r.Faults(); faults != nil {
		problems += faults.Error()
	}
	return h, problems
}

func TestDecode(t *testing.T) {
	h, problems := decoded(t, `
open: TRUE
portions: 3
height: 1.5
deep: false
steps:
  - &oak {name: oak, wait: 90s}
  - {<<: *oak, paint: red}
parts: {sauce: {name: "1"}}
words: {a: b, free: <word>}
shout: hello
password: {env: WORD}
`)
	want := recipe{
		Title: "default", Open: true, Portions: 3, Height: 1.5, Deep: new(bool), Steps: []step{{"oak", "green", value.Duration(90e9)}, {"oak", "red", value.Duration(90e9)}},
		Parts: map[string]step{"sauce": {Name: "1", Paint: "green"}}, Words: map[string]string{"a": "b", "free": "<word>"}, Shout: "HELLO",
	}
	if got := h.Password.String(); got != "env:[redacted]" {
		t.Errorf("got password %s, want a variable", got)
	}
	h.Password = secret.ExternalID{}
	if diff := cmp.Diff(want, h, cmp.Comparer(func(a, b secret.ExternalID) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if want := `x.yaml:10: words.free: "<word>" is a placeholder; put the real value in its place, unless it is intended`; problems != want {
		t.Errorf("got %q, want %q", problems, want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"[]":                              "x.yaml:1: is a list, not a mapping",
		"titel: a":                        "x.yaml:1: titel: unknown key; did you mean title?",
		"paint: red":                      "paint: unknown key; it belongs to steps[] or parts.NAME",
		"zzzzzz: 1":                       "unknown key; use one of title, open, ",
		"title:":                          "title: has no value; give it one or remove the key",
		"title: 1":                        "title: is a number, not text; put it in quotes",
		"title: [a]":                      "title: is a list, not a single value",
		"title: a\ntitle: b":              "x.yaml:2: title: duplicate key, first on line 1; keep one of them",
		"open: maybe":                     "open: is text, not a boolean; use true or false",
		"portions: 1.5":                   `portions: "1.5" is not a whole number`,
		"height: 0x10":                    `height: "0x10" is not a number`,
		"steps: {}":                       "steps: is a mapping, not a list; put it in brackets: [ ]",
		"steps: [{paint: red}]":           "steps[0].name: is required",
		"steps: [{name: a, paint: gren}]": `steps[0].paint: "gren" is not one of red, green; did you mean green?`,
		"steps: [{name: a, wait: 90}]":    `steps[0].wait: "90" is not a duration; give it a unit: 90s, 90m or 90h`,
		"words: {a: *b}":                  "words.a: alias *b has no anchor before it",
		"words: {a: !!str b}":             "words.a: YAML tags such as !!str are not supported; remove the tag",
		"words: {a: REPLACE_WITH_B}":      `words.a: "REPLACE_WITH_B" is a placeholder; put the real value in its place`,
		"words: {free: x REPLACE_WITH_B}": `words.free: "x REPLACE_WITH_B" contains the placeholder "REPLACE_WITH_B"; put the real value in its place`,
		"password: [hunter22]":            "password: is a list, not text; use text in quotes, {file: PATH} or {env: NAME}",
		"password: {hunter22: x}":         "password: is a mapping with keys other than file or env; ",
		"password: *hunter22":             "password: alias has no anchor before it",
		"password: !hunter22 x":           "password: YAML tags are not supported; remove the tag",
		"password: {file: <hunter22>}":    "password.file: is a placeholder; put the real value in its place",
		"password: &p hunter22\nopen: *p": "open: is invalid, and is not shown because it contains a value that is set under external_id",
	} {
		if _, problems := decoded(t, text); !strings.Contains(problems, want) || strings.Contains(problems, "\n") || strings.Contains(problems, "hunter22") {
			t.Errorf("%s: got %q, want one fault with %q", text, problems, want)
		}
	}
}
