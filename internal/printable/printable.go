// Package printable makes text that others chose safe to show: keys, tags, names of holders,
// messages of services.
//
// [Text] is the one function for a terminal, a log in plain text and a page. It promises that no
// character of the text can move a cursor, begin a line, change the direction of what follows or
// hide: each such character becomes the escape that Go spells it with. Text without such characters
// stays as it is, and so does text that went through here before. [Fprintf] and [Fprintln] do the
// same to whatever they are given. In JSON the same characters are escaped as JSON escapes them,
// which loses nothing ([JSON]), and [Cell] is for spreadsheets, which run what looks like a
// formula.
//
// It leaves to others what must not be shown at all: secrets are taken out where they are known.
//
// Two words to know. A control is a character of C0, DEL or C1. A bidirectional control changes the
// order in which the characters around it are shown (Unicode Standard Annex 9), so that a key reads
// as another one.
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

// Text returns s with every character that acts instead of being seen as an escape: \n, \x1b,
// \u202e. Bytes that are not UTF-8 are escaped one by one. Backslashes stay as they are.
func Text(s string) string { return escaped(s, "") }

// escaped is Text but for the characters that are spared.
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

// acts reports whether a character is a control, a bidirectional control, a separator of lines, or
// shows nothing. The two joiners show nothing either, but Persian, the scripts of India and emoji
// are not written without them (Unicode Standard, section 23.2), and the signs that stand before
// digits are seen (section 23.4). So is what the emoji selector makes of a character before it: see
// isEmoji.
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

// unseen is what shows nothing and has no category that says so: Default_Ignorable_Code_Point
// (Unicode Character Database, DerivedCoreProperties.txt; Go has only a part of it), and the
// Braille pattern without dots.
var unseen = &unicode.RangeTable{ //nolint:gochecknoglobals // a table, which nothing changes
	R16: []unicode.Range16{
		{Lo: 0x034f, Hi: 0x034f, Stride: 1}, // grapheme joiner
		{Lo: 0x115f, Hi: 0x1160, Stride: 1}, // Hangul fillers
		{Lo: 0x17b4, Hi: 0x17b5, Stride: 1}, // inherent vowels of Khmer
		{Lo: 0x180b, Hi: 0x180f, Stride: 1}, // selectors and separator of Mongolian
		{Lo: 0x2065, Hi: 0x2065, Stride: 1},
		{Lo: 0x2800, Hi: 0x2800, Stride: 1}, // Braille, blank
		{Lo: 0x3164, Hi: 0x3164, Stride: 1}, // Hangul filler
		{Lo: 0xffa0, Hi: 0xffa0, Stride: 1}, // the same, half as wide
		{Lo: 0xfff0, Hi: 0xfff8, Stride: 1},
	},
	R32: []unicode.Range32{{Lo: 0xe0000, Hi: 0xe0fff, Stride: 1}}, // tags, selectors
}

// emojiSelector asks for the coloured form of the character before it, as most emoji are written
// (Unicode Technical Standard 51).
const emojiSelector = '\ufe0f'

// isEmoji reports whether a character is an emoji selector after one that is seen and is not of
// ASCII.
func isEmoji(r, before rune) bool {
	return r == emojiSelector && before >= utf8.RuneSelf && isSeen(before)
}

// isSeen reports whether a character by itself shows something.
func isSeen(r rune) bool { return !acts(r) && r != '\u200c' && r != '\u200d' && r != utf8.RuneError }

// Line is Text of an error's text, in which joined errors stand on lines of their own: semicolons
// separate them instead.
func Line(s string) string { return Text(strings.ReplaceAll(s, "\n", "; ")) }

// Fprintf is fmt.Fprintf of arguments that others chose: what they say goes through Text, the
// format does not.
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

// Format escapes before it pads, so that columns stay columns, and again what only the verb made
// text of.
func (a argument) Format(f fmt.State, verb rune) {
	value := a.value
	if text, ok := value.(string); ok && verb != 'q' && verb != 'x' {
		value = Text(text)
	}
	_, _ = io.WriteString(f, Text(fmt.Sprintf(fmt.FormatString(f, verb), value)))
}

// Lines returns a writer for whole lines of which each has its values quoted by its own rules, as
// slog's text handler has: it escapes what these leave.
func Lines(w io.Writer) io.Writer {
	return writer{w, func(p []byte) []byte { return []byte(escaped(string(p), "\n")) }}
}

// JSON returns a writer for whole JSON texts, in which it escapes what acts instead of being seen,
// beyond what JSON demands. A reader of the JSON gets the very same strings.
func JSON(w io.Writer) io.Writer { return writer{w, JSONText} }

// JSONText does the same to a JSON text.
func JSONText(text []byte) []byte {
	// Below U+0020 there is only the space between values: strings have none of it unescaped.
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
