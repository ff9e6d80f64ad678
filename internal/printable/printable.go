// Package printable makes text that others chose safe to show: keys, tags, names of holders, messages of services.
//
// [Text] is the one function for a terminal, a log in plain text and a page. It promises that no character of the text can
// move a cursor, begin a line, change the direction of what follows or hide: each such character becomes the escape that Go
// spells it with. Text without such characters stays as it is, and so does text that went through here before. [Fprintf] and
// [Fprintln] do the same to whatever they are given. In JSON the same characters are escaped as JSON escapes them, which loses
// nothing ([JSON]), and [Cell] is for spreadsheets, which run what looks like a formula.
//
// It leaves to others what must not be shown at all: secrets are taken out where they are known.
//
// Two words to know. A control is a character of C0, DEL or C1. A bidirectional control changes the order in which the
// characters around it are shown (Unicode Standard Annex 9), so that a key reads as another one.
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

// Text returns s with every character that acts instead of being seen as an escape: \n, \x1b, \u202e. Bytes that are not UTF-8
// are escaped one by one. Backslashes stay as they are.
func Text(s string) string { return escaped(s, "") }

// escaped is Text but for the characters that are spared.
func escaped(s, spared string) string {
	acts := func(r rune) bool { return acts(r) && !strings.ContainsRune(spared, r) }
	if utf8.ValidString(s) && !strings.ContainsFunc(s, acts) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case acts(r):
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		default:
			b.WriteRune(r)
		}
		i += size
	}
	return b.String()
}

// acts reports whether a character is a control, a bidirectional control, a separator of lines, or shows nothing. The two
// joiners show nothing either, but Persian, the scripts of India and emoji are not written without them (Unicode Standard,
// section 23.2), and the signs that stand before digits are seen (section 23.4).
func acts(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r < ' ' || r == 0x7f
	case r == '\u200c' || r == '\u200d':
		return false
	default:
		return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) ||
			unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r)
	}
}

// Line is Text of an error's text, in which joined errors stand on lines of their own: semicolons separate them instead.
func Line(s string) string { return Text(strings.ReplaceAll(s, "\n", "; ")) }

// Fprintf is fmt.Fprintf of arguments that others chose: what they say goes through Text, the format does not.
func Fprintf(w io.Writer, format string, args ...any) (int, error) {
	return fmt.Fprintf(w, format, foreign(args)...)
}

// Sprintf is fmt.Sprintf in the same way.
func Sprintf(format string, args ...any) string { return fmt.Sprintf(format, foreign(args)...) }

// Fprintln is fmt.Fprintln in the same way.
func Fprintln(w io.Writer, args ...any) (int, error) { return fmt.Fprintln(w, foreign(args)...) }

func foreign(args []any) []any {
	all := make([]any, len(args))
	for i, arg := range args {
		switch arg.(type) {
		case int, int32, int64, uint, uint64, float64, bool:
			all[i] = arg // a width may be among them
		default:
			all[i] = argument{arg}
		}
	}
	return all
}

// argument is a value that is shown through Text, whatever the verb.
type argument struct{ value any }

// Format escapes before it pads, so that columns stay columns, and again what only the verb made text of.
func (a argument) Format(f fmt.State, verb rune) {
	value := a.value
	if text, ok := value.(string); ok && verb != 'q' && verb != 'x' {
		value = Text(text)
	}
	_, _ = io.WriteString(f, Text(fmt.Sprintf(fmt.FormatString(f, verb), value)))
}

// Lines returns a writer for whole lines of which each has its values quoted by its own rules, as slog's text handler has: it
// escapes what these leave.
func Lines(w io.Writer) io.Writer {
	return writer{w, func(p []byte) []byte { return []byte(escaped(string(p), "\n")) }}
}

// JSON returns a writer for whole JSON texts, in which it escapes what acts instead of being seen, beyond what JSON demands. A
// reader of the JSON gets the very same strings.
func JSON(w io.Writer) io.Writer { return writer{w, JSONText} }

// JSONText does the same to a JSON text.
func JSONText(text []byte) []byte {
	// Below U+0020 there is only the space between values: strings have none of it unescaped.
	hidden := func(r rune) bool { return r > ' ' && acts(r) }
	if utf8.Valid(text) && !bytes.ContainsFunc(text, hidden) {
		return text
	}
	b := make([]byte, 0, len(text)+64)
	for _, r := range string(text) {
		if !hidden(r) {
			b = utf8.AppendRune(b, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			b = fmt.Appendf(b, `\u%04x`, unit)
		}
	}
	return b
}

// writer writes each text that it is given after a change.
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
