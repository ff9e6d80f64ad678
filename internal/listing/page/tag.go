package page

import (
	"bytes"
	"encoding/xml"
	"unicode/utf8"
)

// startTag scans a tag like <name attribute="value"> or <name/>.
func (s *scanner) startTag() error {
	s.r++
	s.open = append(s.open, len(s.names))
	if err := s.readName(1); err != nil {
		return err
	}
	for {
		s.space()
		if !s.has(1) {
			return s.cut()
		}
		switch s.buf[s.r] {
		case '>':
			s.r++
			return nil
		case '/':
			s.r++
			s.empty = true
			return s.expect(">")
		default:
			if err := s.attribute(); err != nil {
				return err
			}
		}
	}
}

// attribute skips an attribute.
func (s *scanner) attribute() error {
	before := len(s.names)
	if err := s.readName(1); err != nil {
		return err
	}
	s.names = s.names[:before]
	s.space()
	if err := s.expect("="); err != nil {
		return err
	}
	s.space()
	if !s.has(1) {
		return s.cut()
	}
	quote := s.buf[s.r]
	if quote != '"' && quote != '\'' {
		return s.fault("an attribute without a quoted value")
	}
	s.r++
	return s.characters(quote)
}

// endTag scans a tag like </name>.
func (s *scanner) endTag() error {
	if len(s.open) == 0 {
		return s.fault("the end of an element that was not open")
	}
	s.r += len("</")
	want := s.name()
	if n := len(want); s.has(n+1) && s.buf[s.r+n] == '>' && bytes.Equal(s.buf[s.r:s.r+n], want) {
		s.r += n + 1
		s.pop()
		return nil
	}
	before := len(s.names)
	if err := s.readName(1); err != nil {
		return err
	}
	if !bytes.Equal(s.name()[:len(want)], s.names[before:]) {
		return s.fault("a wrong end tag")
	}
	s.names = s.names[:before]
	s.space()
	s.pop()
	return s.expect(">")
}

// expect scans the given text.
func (s *scanner) expect(text string) error {
	if !s.has(len(text)) {
		if !bytes.HasPrefix([]byte(text), s.buf[s.r:s.w]) {
			return s.fault("invalid markup")
		}
		return s.cut()
	}
	if string(s.buf[s.r:s.r+len(text)]) != text {
		return s.fault("invalid markup")
	}
	s.r += len(text)
	return nil
}

func (s *scanner) space() {
	for s.has(1) {
		switch s.buf[s.r] {
		case ' ', '\r', '\n', '\t':
			s.r++
		default:
			return
		}
	}
}

// readName scans a name with at most the given number of colons, and appends it to names. The name
// ends before a character that is not part of a name, so a document cannot end with it.
func (s *scanner) readName(colons int) error {
	before := len(s.names)
	for {
		if !s.has(1) {
			return s.cut()
		}
		end := s.r
		for end < s.w && isNameByte(s.buf[end]) {
			end++
		}
		s.names = append(s.names, s.buf[s.r:end]...)
		s.r = end
		if len(s.names) > maxValue {
			return s.fault("names that are too long")
		}
		if end < s.w {
			break
		}
	}
	if name := s.names[before:]; !isName(name) || bytes.Count(name, []byte(":")) > colons {
		return s.fault("an invalid name")
	}
	return nil
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == ':' || c == '.' || c == '-' || c >= utf8.RuneSelf
}

// isName reports whether text, which contains only bytes that isNameByte accepts, is a name.
func isName(text []byte) bool {
	if len(text) == 0 || text[0] == '-' || text[0] == '.' || text[0] >= '0' && text[0] <= '9' {
		return false
	}
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return accepts("<" + string(bytes.ReplaceAll(text, []byte(":"), []byte("_"))) + "/>")
		}
	}
	return true
}

// accepts reports whether encoding/xml accepts a tag. It is used for rare tags, whose rules are
// long.
func accepts(tag string) bool {
	_, err := xml.NewDecoder(bytes.NewReader([]byte(tag))).Token()
	return err == nil
}
