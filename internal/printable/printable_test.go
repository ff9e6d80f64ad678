package printable_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"syncd/internal/printable"
)

// hidden returns all characters that must not reach a terminal unescaped.
func hidden() (all []rune) {
	add := func(first, last rune) {
		for r := first; r <= last; r++ {
			all = append(all, r)
		}
	}
	add(0, 0x1f)        // C0
	add(0x7f, 0x9f)     // DEL and C1
	add(0x202a, 0x202e) // embeddings and overrides
	add(0x2066, 0x2069) // isolates
	add(0x200e, 0x200f) // marks
	add(0x2028, 0x2029) // line and paragraph separators
	add(0xfe00, 0xfe0f) // variation selectors
	add(0x115f, 0x1160) // Hangul fillers
	add(0x17b4, 0x17b5) // invisible Khmer vowels
	add(0x180b, 0x180f) // Mongolian
	add(0x2060, 0x2065) // word joiner, invisible operators
	add(0xfff0, 0xfff8)
	add(0xe0000, 0xe0fff) // tags, more selectors
	add(0x1bca0, 0x1bca3) // shorthand
	add(0x1d173, 0x1d17a) // music
	return append(all, 0x61c, 0x200b, 0xfeff, 0xad, 0x34f, 0x2800, 0x3164, 0xffa0)
}

func TestText(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"exports/2026/a b+c%20.csv", "exports/2026/a b+c%20.csv"},
		{"grüße-日本語-עברית-العربية-👩\u200d👧-می\u200cخواهم", "grüße-日本語-עברית-العربية-👩\u200d👧-می\u200cخواهم"},
		{`C:\new "x" 'y'`, `C:\new "x" 'y'`},
		{"\ufffd", "\ufffd"},
		{"a\x1b]0;x\a\u202eb\nc", `a\x1b]0;x\a\u202eb\nc`},
		{"\t\r\x00\x7f", `\t\r\x00\x7f`},
		{"\u0085\u009b31m", `\u0085\u009b31m`},
		{"\xff\xc3", `\xff\xc3`},
		{"\u2028\u2029\u061c\u200e\ufeff", `\u2028\u2029\u061c\u200e\ufeff`},
		{"\U000e0041", `\U000e0041`},
		{"❤\ufe0f 👁\ufe0f\u200d🗨\ufe0f", "❤\ufe0f 👁\ufe0f\u200d🗨\ufe0f"},
		{"a\ufe0f\ufe0f", `a\ufe0f\ufe0f`},
		{"\ufe0f", `\ufe0f`},
		{"é\ufe0f\ufe0f", "é\ufe0f" + `\ufe0f`},
		{"é\u200d\ufe0f", "é\u200d" + `\ufe0f`},
		{"\xff\ufe0f", `\xff\ufe0f`},
		{"é\ufe00\u3164\u2800", "é" + `\ufe00\u3164\u2800`},
	} {
		if got := printable.Text(tt.text); got != tt.want {
			t.Errorf("Text(%q): got %s, want %s", tt.text, got, tt.want)
		}
	}
}

// TestNothingHiddenIsShown checks that every output function escapes every hidden character.
func TestNothingHiddenIsShown(t *testing.T) {
	for _, r := range hidden() {
		text := "a" + string(r) + "b"
		var formatted, lines, logged bytes.Buffer
		_, _ = printable.Fprintf(&formatted, "%s %v %q %-9s %s", text, text, text, text, errors.New(text))
		_, _ = printable.Fprintln(&formatted, text, errors.New(text))
		slog.New(slog.NewTextHandler(printable.Lines(&lines), nil)).Info("shown", "key", text, "err", errors.New(text))
		slog.New(slog.NewJSONHandler(printable.JSON(&logged), nil)).Info("shown", "key", text, "err", errors.New(text))
		for way, got := range map[string]string{
			"Text": printable.Text(text), "Cell": printable.Cell(text), "Fprintf": formatted.String(), "Lines": lines.String(), "JSON": logged.String(),
		} {
			if strings.ContainsRune(strings.TrimSuffix(got, "\n"), r) {
				t.Errorf("%s of %q: got %q, want the character escaped", way, text, got)
			}
		}
	}
}

func FuzzText(f *testing.F) {
	for _, seed := range []string{"", "a", "a\x1b\u202e\n", "\xff\xfe", "\\x1b", "'=1", "\u200d"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := printable.Text(text)
		if !utf8.ValidString(got) || strings.ContainsAny(strings.ReplaceAll(got, "\ufe0f", ""), string(hidden())) {
			t.Fatalf("Text(%q): got %q, want only visible characters", text, got)
		}
		if again := printable.Text(got); again != got {
			t.Fatalf("Text(%q): got %q, and of that %q", text, got, again)
		}
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var back string
		if err := json.Unmarshal(printable.JSONText(encoded), &back); err != nil || back != strings.ToValidUTF8(text, "\ufffd") && utf8.ValidString(text) {
			t.Fatalf("JSON of %q: got %q, %v", text, back, err)
		}
		cells, err := csv.NewReader(strings.NewReader(row(t, text, "last"))).Read()
		if err != nil || !cmp.Equal(cells, []string{printable.Cell(text), "last"}) {
			t.Fatalf("Row of %q: got %q, %v", text, cells, err)
		}
		if strings.IndexAny(cells[0], "=+-@\t\r\n＝＋－＠") == 0 {
			t.Fatalf("Row of %q: got a formula", text)
		}
	})
}

// TestJSONSaysTheSame checks that JSON writes no hidden characters, and that its output decodes to
// the same text.
func TestJSONSaysTheSame(t *testing.T) {
	for _, text := range []string{"plain", "a\x1b\u202eb\n", string(hidden()), "\U000e0041\u009b", "<&>"} {
		var out bytes.Buffer
		e := json.NewEncoder(printable.JSON(&out))
		e.SetIndent("", "\t")
		if err := e.Encode(map[string]string{text: text}); err != nil {
			t.Fatal(err)
		}
		var back map[string]string
		if err := json.Unmarshal(out.Bytes(), &back); err != nil || back[text] != text {
			t.Errorf("got %q, %v, want %q back", back, err, text)
		}
	}
}

// TestFprintfPads checks that the width of a column counts the escaped text.
func TestFprintfPads(t *testing.T) {
	if got, want := printable.Sprintf("%-6s|%5d|%-*s|%x", "a\n", 7, 3, "b", "\x1b"), `a\n   |    7|b  |1b`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCell(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""},
		{"exports/a.csv", "exports/a.csv"},
		{"a=b", "a=b"},
		{"=1+1", "'=1+1"},
		{"+1", "'+1"},
		{"-1", "'-1"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"\t=1", `'\t=1`},
		{"\r=1", `'\r=1`},
		{"\n=1", `'\n=1`},
		{"＝1", "'＝1"},
		{"＋1", "'＋1"},
		{"－1", "'－1"},
		{"＠1", "'＠1"},
		{"  =1", "'  =1"},
		{"\u00a0=1", "'\u00a0=1"},
		{"\u200b=1", `'\u200b=1`},
		{"\u200c=1", "'\u200c=1"},
		{"\u200d\u200c+1", "'\u200d\u200c+1"},
		{"\u3164-1", `'\u3164-1`},
		{"\"=1", "'\"=1"},
		{"'=1", "''=1"},
		{"  a", "  a"},
	} {
		if got := printable.Cell(tt.text); got != tt.want {
			t.Errorf("Cell(%q): got %q, want %q", tt.text, got, tt.want)
		}
	}
}

// TestRowQuotesEveryCell checks that a key with a semicolon stays one cell in a program whose list
// separator is the semicolon.
func TestRowQuotesEveryCell(t *testing.T) {
	if got, want := row(t, `a;=1"b`, "=2"), "\"a;=1\"\"b\",\"'=2\"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// row returns the line that WriteRow writes.
func row(t *testing.T, cells ...string) string {
	t.Helper()
	var line strings.Builder
	if err := printable.WriteRow(&line, cells); err != nil {
		t.Fatal(err)
	}
	return line.String()
}
