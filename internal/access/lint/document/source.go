package document

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// edited returns a copy of the source with the edits applied. The edits must be in order of
// position.
func (s *source) edited(edits []edit) *source {
	out := &source{File: s.File}
	at := 0
	for _, e := range edits {
		out.take(s, at, e.at)
		out.put([]byte(e.text), s.origin(e.at))
		at = e.at + e.size
	}
	out.take(s, at, len(s.Data))
	out.from = append(out.from, s.origin(len(s.Data)))
	return out
}

// take appends other.Data[from:to] to the source, with the positions of these bytes in the file.
func (s *source) take(other *source, from, to int) {
	s.Data = append(s.Data, other.Data[from:to]...)
	for i := from; i < to; i++ {
		s.from = append(s.from, other.origin(i))
	}
}

// source is the text of a document, with the position of each byte in the file. The file may
// contain a policy as plain text, in a JSON string, or percent-encoded in a JSON string.
type source struct {
	File *File
	Data []byte
	from []int // the position in the file of each byte of Data and of its end; nil if Data is the whole file
}

// Position returns the line and column in the file of the byte at an offset in Data. Both start at
// 1, and the column counts characters.
func (s *source) Position(at int) (line, column int) {
	return s.File.Position(s.origin(min(max(at, 0), len(s.Data))))
}

// Position returns the line and column of the byte at an offset in the file. Both start at 1, and
// the column counts characters.
func (f *File) Position(at int) (line, column int) {
	before := f.Data[:min(at, len(f.Data))]
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}

// within returns the source of the document that is in the JSON string n, with the string's escapes
// decoded.
func (s *source) within(n *Node) *source {
	inner := &source{File: s.File}
	for i := n.At + 1; i < n.End-1; {
		r, size := unescape(s.Data[i:n.End])
		text := utf8.AppendRune(nil, r)
		if size == 1 {
			text = s.Data[i : i+1] // a byte of a multibyte or invalid character
		}
		inner.put(text, s.origin(i))
		i += size
	}
	inner.from = append(inner.from, s.origin(n.End-1))
	if bytes.HasPrefix(bytes.TrimSpace(inner.Data), []byte("%7B")) || bytes.HasPrefix(bytes.TrimSpace(inner.Data), []byte("%7b")) {
		return inner.percentDecoded()
	}
	return inner
}

// put appends text to the source. It records from as the position in the file of each byte of text.
func (s *source) put(text []byte, from int) {
	s.Data = append(s.Data, text...)
	s.from = append(s.from, slices.Repeat([]int{from}, len(text))...)
}

func (s *source) origin(at int) int {
	if s.from == nil {
		return at
	}
	return s.from[at]
}

// unescape decodes one character of a JSON string and returns its size in bytes. If there is no
// escape, it returns one byte.
func unescape(text []byte) (r rune, size int) {
	if text[0] != '\\' || len(text) < 2 {
		return rune(text[0]), 1
	}
	switch text[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		return unescapeUnit(text)
	}
	return rune(text[1]), 2
}

// unescapeUnit decodes \u and four hexadecimal digits, or two such escapes that form a surrogate
// pair.
func unescapeUnit(text []byte) (r rune, size int) {
	first, ok := hexUnit(text)
	if !ok {
		return utf8.RuneError, 2
	}
	second, ok := hexUnit(text[6:])
	if pair := utf16.DecodeRune(first, second); ok && pair != utf8.RuneError {
		return pair, 12
	}
	return first, 6
}

func hexUnit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range text[2:6] {
		digit := strings.IndexByte("0123456789abcdef", lowerHex(c))
		if digit < 0 {
			return 0, false
		}
		r = r<<4 + rune(digit)
	}
	return r, true
}

func lowerHex(c byte) byte {
	if 'A' <= c && c <= 'F' {
		c += 'a' - 'A'
	}
	return c
}

// percentDecoded returns the source without the percent-encoding that IAM applies to documents (RFC
// 3986, section 2.1). AWS CLI output is not percent-encoded, because the CLI decodes documents.
func (s *source) percentDecoded() *source {
	decoded := &source{File: s.File}
	for i := 0; i < len(s.Data); {
		c, size := s.Data[i], 1
		if c == '%' && i+2 < len(s.Data) {
			high := strings.IndexByte("0123456789abcdef", lowerHex(s.Data[i+1]))
			low := strings.IndexByte("0123456789abcdef", lowerHex(s.Data[i+2]))
			if high >= 0 && low >= 0 {
				c, size = byte(high<<4|low), 3
			}
		}
		decoded.put([]byte{c}, s.from[i])
		i += size
	}
	decoded.from = append(decoded.from, s.from[len(s.Data)])
	return decoded
}
