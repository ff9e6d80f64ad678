package page

import "bytes"

// instruction skips a processing instruction like <?xml version="1.0"?>. XML declarations with
// another version than 1.0 or another encoding than UTF-8 are errors.
func (s *scanner) instruction() error {
	s.r += len("<?")
	before := len(s.names)
	if err := s.readName(maxValue); err != nil {
		return err
	}
	isXML := string(s.names[before:]) == "xml"
	s.names = s.names[:before]
	s.space()
	var content []byte
	for {
		if !s.has(1) {
			return s.cut()
		}
		c := s.buf[s.r]
		s.r++
		if c == '>' && bytes.HasSuffix(content, []byte("?")) {
			break
		}
		if content = append(content, c); len(content) > maxValue {
			return s.fault("a processing instruction that is too long")
		}
	}
	if isXML && !accepts("<?xml "+string(content)+">") {
		return s.fault("a version of XML other than 1.0, or an encoding other than UTF-8")
	}
	return nil
}

// declaration scans a comment or a CDATA section. Other declarations, such as <!DOCTYPE>, are
// errors.
func (s *scanner) declaration() error {
	if !s.has(len("<![")) {
		return s.cut()
	}
	if s.buf[s.r+len("<!")] != '[' {
		return s.comment()
	}
	if err := s.expect("<![CDATA["); err != nil {
		return err
	}
	return s.cdata()
}

// comment skips a comment.
func (s *scanner) comment() error {
	if err := s.expect("<!--"); err != nil {
		return err
	}
	for dashes := 0; ; {
		if !s.has(1) {
			return s.cut()
		}
		c := s.buf[s.r]
		s.r++
		switch {
		case dashes == 2 && c == '>':
			return nil
		case dashes == 2:
			return s.fault("-- inside a comment")
		case c == '-':
			dashes++
		default:
			dashes = 0
		}
	}
}
