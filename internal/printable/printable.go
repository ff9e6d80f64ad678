// Package printable makes text that syncd does not control safe to show: object keys, tags, names
// of lease holders, messages of services.
//
// Use [Text] for terminals, plain text logs and web pages. It replaces characters that move the
// cursor, start a line, change the direction of text or are invisible with Go escapes. Other text
// is unchanged, as is text that was escaped before. [Fprintf] and [Fprintln] escape their arguments
// in the same way. [JSON] uses JSON escapes for the same characters, so that the JSON decodes to
// the same strings. [Cell] is for spreadsheets, which execute text that looks like a formula.
//
// This package does not remove secrets. The packages that have a secret must redact it themselves.
//
// Two terms: a control is a character of C0, DEL or C1; a bidirectional control changes the order
// in which the characters around it are shown (Unicode Standard Annex 9), so that a key looks like
// another one.
package printable

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text returns s with every control or invisible character replaced with an escape such as \x1b or
// \u202e. Bytes that are not UTF-8 are escaped one by one. Backslashes are unchanged.
func Text(s string) string { return escaped(s, "") }

// escaped is like Text, but does not escape the characters in spared.
func escaped(s, spared string) string {
	if utf8.ValidString(s) && !strings.ContainsFunc(s, acts) {
		return s
	}
	var b strings.Builder
	before := rune(0)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case acts(r) && !strings.ContainsRune(spared, r) && !isEmoji(r, before):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteRune(r)
		}
		before = r
		i += size
	}
	return b.String()
}

// acts reports whether a character is a control, a bidirectional control, a line separator, or
// invisible. There are exceptions. The two joiners are invisible, but Persian, the scripts of India
// and emoji need them (Unicode Standard, section 23.2). Prepended concatenation marks, which
// precede digits, are visible (section 23.4). For the emoji selector, see isEmoji.
func acts(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r < ' ' || r == 0x7f
	case r == '\u200c' || r == '\u200d':
		return false
	default:
		return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control, unseen) ||
			unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) ||
			unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
	}
}

// unseen contains invisible characters that no category of package unicode covers:
// Default_Ignorable_Code_Point (Unicode Character Database, DerivedCoreProperties.txt; Go has only
// a part of it), and the blank Braille pattern.
var unseen = &unicode.RangeTable{ //nolint:gochecknoglobals // a constant table
	R16: []unicode.Range16{
		{Lo: 0x034f, Hi: 0x034f, Stride: 1}, // grapheme joiner
		{Lo: 0x115f, Hi: 0x1160, Stride: 1}, // Hangul fillers
		{Lo: 0x17b4, Hi: 0x17b5, Stride: 1}, // inherent vowels of Khmer
		{Lo: 0x180b, Hi: 0x180f, Stride: 1}, // selectors and separator of Mongolian
		{Lo: 0x2065, Hi: 0x2065, Stride: 1},
		{Lo: 0x2800, Hi: 0x2800, Stride: 1}, // Braille, blank
		{Lo: 0x3164, Hi: 0x3164, Stride: 1}, // Hangul filler
		{Lo: 0xffa0, Hi: 0xffa0, Stride: 1}, // the same, half width
		{Lo: 0xfff0, Hi: 0xfff8, Stride: 1},
	},
	R32: []unicode.Range32{{Lo: 0xe0000, Hi: 0xe0fff, Stride: 1}}, // tags, selectors
}

// emojiSelector selects the colored form of the character before it; most emoji use it (Unicode
// Technical Standard 51).
const emojiSelector = '\ufe0f'

// isEmoji reports whether r is an emoji selector after a visible character that is not ASCII.
func isEmoji(r, before rune) bool {
	return r == emojiSelector && before >= utf8.RuneSelf && isSeen(before)
}

// isSeen reports whether a character is visible by itself.
func isSeen(r rune) bool { return !acts(r) && r != '\u200c' && r != '\u200d' && r != utf8.RuneError }

// Line puts the text of an error on one line and escapes it with Text. Joined errors, which have
// one line each, are separated by semicolons.
func Line(s string) string { return Text(strings.ReplaceAll(s, "\n", "; ")) }

// Fprintf is like fmt.Fprintf, but escapes the arguments with Text. It does not escape the format.
func Fprintf(w io.Writer, format string, args ...any) (int, error) {
	return fmt.Fprintf(w, format, foreign(args)...)
}

// Sprintf is like fmt.Sprintf, but escapes the arguments as Fprintf does.
func Sprintf(format string, args ...any) string { return fmt.Sprintf(format, foreign(args)...) }

// Fprintln is like fmt.Fprintln, but escapes the arguments as Fprintf does.
func Fprintln(w io.Writer, args ...any) (int, error) { return fmt.Fprintln(w, foreign(args)...) }

func foreign(args []any) []any {
	all := make([]any, len(args))
	for i, arg := range args {
		switch arg.(type) {
		case int, int32, int64, uint, uint64, float64, bool:
			all[i] = arg // an int may be a width for the format
		default:
			all[i] = argument{arg}
		}
	}
	return all
}

// argument is a value that is escaped with Text, for every verb.
type argument struct{ value any }

// Format escapes strings before padding, so that columns stay aligned. It also escapes the
// formatted text, because a value that is not a string becomes text only when it is formatted.
func (a argument) Format(f fmt.State, verb rune) {
	value := a.value
	if text, ok := value.(string); ok && verb != 'q' && verb != 'x' {
		value = Text(text)
	}
	_, _ = io.WriteString(f, Text(fmt.Sprintf(fmt.FormatString(f, verb), value)))
}

// Lines returns a writer for whole lines, such as those of slog's text handler. The handler quotes
// values by its own rules; Lines escapes the characters that the handler leaves unescaped.
func Lines(w io.Writer) io.Writer {
	return writer{w, func(p []byte) []byte { return []byte(escaped(string(p), "\n")) }}
}

// JSON returns a writer for whole JSON texts. It escapes control and invisible characters, more
// than JSON requires. The JSON decodes to the same strings.
func JSON(w io.Writer) io.Writer { return writer{w, JSONText} }

// JSONText escapes a JSON text like the writer that the func JSON returns.
func JSONText(text []byte) []byte {
	// Characters below U+0020 occur only between values: in strings they are already escaped.
	hidden := func(r rune) bool { return r > ' ' && acts(r) }
	if utf8.Valid(text) && !bytes.ContainsFunc(text, hidden) {
		return text
	}
	b := make([]byte, 0, len(text)+64)
	before := rune(0)
	for _, r := range string(text) {
		if !hidden(r) || isEmoji(r, before) {
			b, before = utf8.AppendRune(b, r), r
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			b = fmt.Appendf(b, `\u%04x`, unit)
		}
		before = r
	}
	return b
}

// writer applies change to each text before writing it.
type writer struct {
	w      io.Writer
	change func([]byte) []byte
}

func (w writer) Write(p []byte) (int, error) {
	if _, err := w.w.Write(w.change(p)); err != nil {
		return 0, err
	}
	return len(p), nil
}
