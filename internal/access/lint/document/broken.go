package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Fault describes one place where a text is not JSON. At is its position, Message the likely cause,
// and Fix what to do.
type Fault struct {
	At           int
	Message, Fix string
	edits        []edit // edits that make the text after the fault readable; empty if no edit is likely to help
}

// Characters often found in place of double quotes.
const (
	curlyQuotes  = "“”„‟«»″"
	singleQuotes = "‘’‚′'`"
)

// byteOrderMark is the byte order mark that some editors write before UTF-8 text. AWS does not
// ignore it.
const byteOrderMark = "\ufeff"

// findBreakage returns the first fault in the text, or nil if the text is JSON in UTF-8. The
// fault's position is an offset in the text.
func findBreakage(data []byte) *Fault {
	switch {
	case bytes.HasPrefix(data, []byte(byteOrderMark)):
		return &Fault{0, "the file begins with a byte order mark", "save it as UTF-8 without a byte order mark", []edit{{at: 0, size: len(byteOrderMark)}}}
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}), bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return &Fault{0, "the file is UTF-16", "save it as UTF-8; in PowerShell write it with Out-File -Encoding ascii", nil}
	case len(bytes.TrimSpace(data)) == 0:
		return &Fault{0, "the file is empty", "write a policy: {\"Version\": \"2012-10-17\", \"Statement\": [...]}", nil}
	}
	if at := invalidUTF8(data); at >= 0 {
		return &Fault{at, "a byte is not UTF-8", "save the file as UTF-8", []edit{{at: at, size: 1, text: "?"}}}
	}
	var raw json.RawMessage
	err := json.Unmarshal(data, &raw)
	if err == nil {
		return nil
	}
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return &Fault{0, "not JSON: " + err.Error(), "write JSON", nil}
	}
	return explain(data, max(int(syntax.Offset)-1, 0), syntax.Error())
}

func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// explain returns the fault at the position where parsing stopped. It derives the likely cause from
// the text at this position.
func explain(data []byte, at int, problem string) *Fault {
	if strings.Contains(problem, "unexpected end") {
		return unclosed(data)
	}
	if strings.Contains(problem, "string literal") {
		return &Fault{
			at, fmt.Sprintf("a string contains the unescaped character %q", data[at]),
			"close the quotes on the same line, or write \\n or \\t",
			mendString(data, at),
		}
	}
	if strings.Contains(problem, "string escape") || strings.Contains(problem, "\\u hex") {
		b := &Fault{at, "a backslash does not begin a valid escape", `write \\ for a backslash`, nil}
		if data[at-1] == '\\' {
			b.edits = []edit{{at: at, text: `\`}}
		}
		return b
	}
	rest := string(data[at:])
	before := bytes.TrimRight(data[:at], " \t\r\n")
	if b := odd(rest, at); b != nil {
		b.edits = mendOdd(data, at)
		return b
	}
	return misplaced(data, before, at, problem)
}

// odd returns the fault for a character that looks like a JSON character, or for syntax of another
// language such as a comment. It returns nil if rest begins with neither.
func odd(rest string, at int) *Fault {
	r, _ := utf8.DecodeRuneInString(rest)
	switch {
	case strings.ContainsRune(curlyQuotes, r):
		return &Fault{at, "curly quotes in place of \"", "write \" instead: word processors and chat programs replace it with curly quotes", nil}
	case strings.ContainsRune(singleQuotes, r):
		return &Fault{at, "single quotes in place of \"", "use double quotes", nil}
	case r == '\u00a0' || r == '\u200b' || r == '\u2028' || r == '\ufeff':
		return &Fault{at, fmt.Sprintf("an invisible character, %U", r), "remove it: it probably was copied from a web page", nil}
	case strings.HasPrefix(rest, "//"), strings.HasPrefix(rest, "/*"), r == '#':
		return &Fault{at, "a comment", "remove it: JSON has no comments; use the Sid to describe a statement", nil}
	case strings.HasPrefix(rest, "${"), strings.HasPrefix(rest, "{{"), r == '<':
		return &Fault{at, "a placeholder that was not filled in", "render the template, then check the document", nil}
	case r == 'T' || r == 'F' || r == 'N':
		return &Fault{at, "a capitalized value: JSON has true, false and null", "write it in lower case", nil}
	}
	return nil
}

// misplaced returns the fault for an extra, missing or wrong punctuation character.
func misplaced(data, before []byte, at int, problem string) *Fault {
	last := byte(0)
	if len(before) > 0 {
		last = before[len(before)-1]
	}
	switch c := data[at]; {
	case strings.Contains(problem, "after top-level value"):
		return &Fault{at, "text after the end of the document", "remove it, or remove an extra closing brace before it", nil}
	case (c == '}' || c == ']') && last == ',':
		return &Fault{len(before) - 1, "a comma before " + string(c), "remove it: the last member of a list has no comma after it", []edit{{at: len(before) - 1, size: 1}}}
	case c == ',' && last == ',':
		return &Fault{at, "two commas", "remove one", []edit{{at: at, size: 1}}}
	case (c == '"' || c == '{' || c == '[') && strings.Contains(problem, "after"):
		return &Fault{len(before), "a comma is missing", "write , after the preceding value", []edit{{at: len(before), text: ","}}}
	case c == '}' || c == ']':
		return crossed(data, at)
	case c == '=':
		return &Fault{at, "= in place of a colon", "write : between a name and its value", []edit{{at: at, size: 1, text: ":"}}}
	case last == '{' || last == ',':
		return &Fault{at, "a name or a value without quotes", "write \" around it", mendBare(data, at)}
	case at == 0:
		return &Fault{at, "not JSON", "provide the policy as JSON: convert YAML and other formats first", nil}
	}
	return &Fault{at, "not JSON: " + problem, "write JSON", nil}
}

// crossed returns the fault for a closing brace or bracket that does not match the last open one,
// or that appears in place of a value.
func crossed(data []byte, at int) *Fault {
	open, _ := innermost(data[:at])
	if len(open) == 0 || closing(data[open[len(open)-1]]) == data[at] {
		return &Fault{at, fmt.Sprintf("%c in place of a value", data[at]), "write the value, or remove the comma or the colon before it", []edit{{at: at, text: `""`, guess: true}}}
	}
	from := open[len(open)-1]
	line := 1 + bytes.Count(data[:from], []byte("\n"))
	return &Fault{
		at, fmt.Sprintf("%c found, but the %c of line %d is not closed", data[at], data[from], line),
		fmt.Sprintf("write %c before it", closing(data[from])),
		[]edit{{at: at, text: string(closing(data[from]))}},
	}
}

func closing(opening byte) byte {
	if opening == '{' {
		return '}'
	}
	return ']'
}

// unclosed returns the fault for an unclosed brace, bracket or quote at the end of the text.
func unclosed(data []byte) *Fault {
	open, quote := innermost(data)
	switch {
	case quote >= 0:
		return &Fault{quote, "a string is not closed", "write \" at its end", nil}
	case len(open) == 0:
		return &Fault{max(len(data)-1, 0), "the document ends too early", "write the rest of it", nil}
	}
	at := open[len(open)-1]
	return &Fault{at, fmt.Sprintf("%c is not closed", data[at]), fmt.Sprintf("write %c at the end of the list or object", closing(data[at])), mendOpen(data, open)}
}

// innermost returns the positions of the braces and brackets that are open at the end of the text,
// and the position of an open quote, or -1 if no quote is open.
func innermost(data []byte) (open []int, quote int) {
	quote = -1
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quote >= 0 && c == '\\':
			i++
		case quote >= 0 && c == '"':
			quote = -1
		case quote >= 0:
		case c == '"':
			quote = i
		case c == '{' || c == '[':
			open = append(open, i)
		case (c == '}' || c == ']') && len(open) > 0:
			open = open[:len(open)-1]
		}
	}
	return open, quote
}
