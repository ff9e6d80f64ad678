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
	s.hasPrefix = !s.isWord && hasPrefix(s.name())
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

// hasPrefix reports whether a name has a prefix, as in prefix:name. Names like :name and name: have
// none.
func hasPrefix(name []byte) bool {
	colon := bytes.IndexByte(name, ':')
	return colon > 0 && colon < len(name)-1
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
	want := s.name()
	if s.has(len("</>")+len(want)) && isEnd(s.buf[s.r:s.w], want) {
		s.r += len("</>") + len(want)
		s.pop()
		return nil
	}
	s.r += len("</")
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

// isEnd reports whether text begins with the end tag of an element, without spaces.
func isEnd(text, name []byte) bool {
	n := len("</") + len(name)
	return len(text) > n && text[0] == '<' && text[1] == '/' && text[n] == '>' && string(text[len("</"):n]) == string(name)
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
	before, end := len(s.names), s.r
	for end < s.w && isLetter(s.buf[end]) {
		end++
	}
	s.isWord = end > s.r && end < s.w && !isNameByte(s.buf[end]) // as most names are
	for {
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
		if !s.has(1) {
			return s.cut()
		}
		end = s.r
	}
	if !s.isWord && !isName(s.names[before:], colons) {
		return s.fault("an invalid name")
	}
	return nil
}

func isNameByte(c byte) bool {
	return isLetter(c) || c >= '0' && c <= ':' || c == '_' || c == '.' || c == '-' || c >= utf8.RuneSelf
}

func isLetter(c byte) bool { return (c|0x20)-'a' < 26 }

// isName reports whether text, which contains only bytes that isNameByte accepts, is a name with at
// most the given number of colons.
func isName(text []byte, colons int) bool {
	if len(text) == 0 || text[0] == '-' || text[0] == '.' || text[0] >= '0' && text[0] <= '9' {
		return false
	}
	isASCII := true
	for _, c := range text {
		if isLetter(c) {
			continue
		}
		if c == ':' {
			colons--
		}
		isASCII = isASCII && c < utf8.RuneSelf
	}
	return colons >= 0 && (isASCII || accepts("<"+string(bytes.ReplaceAll(text, []byte(":"), []byte("_")))+"/>"))
}

// accepts reports whether encoding/xml accepts a tag. It is used for rare tags, whose rules are
// long.
func accepts(tag string) bool {
	_, err := xml.NewDecoder(bytes.NewReader([]byte(tag))).Token()
	return err == nil
}
