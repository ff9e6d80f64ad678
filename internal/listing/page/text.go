package page

import (
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxReference is the maximum length in bytes of a reference like &#x1F600; without & and ;.
const maxReference = 32

// characters scans text up to the character stop: up to the next tag if stop is <, and otherwise
// through the quote that ends the value of an attribute.
func (s *scanner) characters(stop byte) error {
	brackets := 0 // how many characters ] are before the current one
	for s.has(1) {
		if end := plain(s.buf[s.r:s.w], stop) + s.r; end > s.r {
			if brackets > 1 && stop == '<' && s.buf[s.r] == '>' {
				return s.fault("]]> outside of CDATA")
			}
			if err := s.add(s.buf[s.r:end]); err != nil {
				return err
			}
			s.r, brackets = end, 0
			continue
		}
		c := s.buf[s.r]
		switch {
		case c == stop && c == '<':
			return nil
		case c == stop:
			s.r++
			return nil
		case c == '<':
			return s.fault("a tag inside a quoted value")
		}
		if brackets++; c != ']' {
			brackets = 0
		}
		if err := s.character(c); err != nil { // c may be the other quote, which stands for itself
			return err
		}
	}
	return s.cut()
}

// classes has the class of each byte in text: 0 stands for itself, 1 ends the value of an attribute,
// 2 has a special meaning, is not valid, or is part of a longer character.
const classes = "2222222220022222" + "2222222222222222" +
	"0010002100000000" + "0000000000002000" + // the special characters are &, < and ]
	"0000000000000000" + "0000000000000200" + "0000000000000000" + "0000000000000000" +
	others + others + others + others + others + others + others + others

const others = "2222222222222222"

// plain returns how many bytes at the start of text stand for themselves, and are not quotes if stop
// is a quote.
func plain(text []byte, stop byte) int {
	least := byte('2')
	if stop != '<' {
		least = '1'
	}
	for i, c := range text {
		if classes[c] >= least {
			return i
		}
	}
	return len(text)
}

// character scans a character that plain does not accept.
func (s *scanner) character(c byte) error {
	switch {
	case c == '&':
		return s.reference()
	case c == '\r': // XML 1.0, "End-of-Line Handling"
		s.r++
		if s.has(1) && s.buf[s.r] == '\n' {
			s.r++
		}
		return s.add([]byte{'\n'})
	case c >= utf8.RuneSelf:
		s.has(utf8.UTFMax)
		r, n := utf8.DecodeRune(s.buf[s.r:s.w])
		if r == utf8.RuneError && n == 1 {
			if !utf8.FullRune(s.buf[s.r:s.w]) {
				return s.cut()
			}
			return s.fault("invalid UTF-8")
		}
		return s.addRune(r, n)
	default:
		return s.addRune(rune(c), 1)
	}
}

// addRune moves by n bytes, and adds the character that they stand for.
func (s *scanner) addRune(r rune, n int) error {
	switch {
	case utf16.IsSurrogate(r), r > utf8.MaxRune, r == 0xfffe, r == 0xffff, r < ' ' && r != '\t' && r != '\n' && r != '\r': // XML 1.0, "Characters"
		return s.fault(fmt.Sprintf("the invalid character %U", r))
	}
	s.r += n
	var b [utf8.UTFMax]byte
	return s.add(b[:utf8.EncodeRune(b[:], r)])
}

// add adds text to the current value.
func (s *scanner) add(text []byte) error {
	if !s.keep {
		return nil
	}
	if len(s.text)+len(text) > maxValue {
		return s.fault(fmt.Sprintf("a value of more than %d bytes", maxValue))
	}
	s.text = append(s.text, text...)
	return nil
}

// reference scans a reference like &amp; or &#10;.
func (s *scanner) reference() error {
	for n := 1; n <= maxReference+1; n++ {
		if !s.has(n + 1) {
			return s.cut()
		}
		if s.buf[s.r+n] != ';' {
			continue
		}
		r, ok := referent(string(s.buf[s.r+1 : s.r+n]))
		if !ok {
			break
		}
		return s.addRune(r, n+1)
	}
	return s.fault("an invalid reference to a character")
}

// referent returns the character that a reference without & and ; stands for.
func referent(name string) (r rune, ok bool) {
	switch name {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	base, digits := 10, 1
	if len(name) > 2 && name[1] == 'x' {
		base, digits = 16, 2
	}
	if len(name) <= digits || name[0] != '#' || name[digits] == '+' || name[digits] == '-' {
		return 0, false
	}
	n, err := strconv.ParseInt(name[digits:], base, 32)
	return rune(n), err == nil
}

// cdata scans text up to ]]>.
func (s *scanner) cdata() error {
	for s.has(1) {
		c := s.buf[s.r]
		var err error
		switch {
		case c == ']' && s.has(len("]]>")) && string(s.buf[s.r:s.r+len("]]>")]) == "]]>":
			s.r += len("]]>")
			return nil
		case c == '&':
			err = s.addRune('&', 1)
		default:
			err = s.character(c)
		}
		if err != nil {
			return err
		}
	}
	return s.cut()
}
