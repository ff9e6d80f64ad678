package page

import (
	"bytes"
	"fmt"
	"io"
)

const (
	bufferBytes = 32 << 10
	// maxValue is the maximum length in bytes of a value, and of the names of all elements that are
	// open at the same time. A key has at most 1,024 bytes, or 3,072 if it is encoded.
	maxValue = 64 << 10
	// maxEmptyReads is how many reads in succession may return neither bytes nor an error.
	maxEmptyReads = 100
)

// scanner reads the tags of an XML document one by one.
type scanner struct {
	body io.Reader
	buf  []byte // the bytes from r to w are not scanned yet
	r, w int
	end  error // why the body ended
	base int64 // position of buf[0] in the body

	names []byte // the names of the open elements, one after another
	open  []int  // where each of them begins in names
	empty bool   // the last tag was <element/>, so its end follows

	isWord    bool // the last name consists of letters
	hasPrefix bool // the name of the last start tag has a prefix

	text []byte
	keep bool // add text to the field text
}

func newScanner(body io.Reader) scanner {
	return scanner{body: body, buf: make([]byte, bufferBytes), names: make([]byte, 0, 256), open: make([]int, 0, 16), text: make([]byte, 0, 4<<10)}
}

// syntaxError means that a document is not well-formed XML, or not the XML of a page.
type syntaxError struct {
	offset  int64
	problem string
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("%s at byte %d of the page", e.problem, e.offset)
}

func (s *scanner) fault(problem string) error { return &syntaxError{s.base + int64(s.r), problem} }

// cut returns the error for a document that ends too early.
func (s *scanner) cut() error {
	if s.end == io.EOF { //nolint:errorlint // io.Reader requires that EOF is not wrapped
		return s.fault("the XML ends too early")
	}
	return fmt.Errorf("read page: %w", s.end)
}

// has reads until n bytes are not scanned yet, and reports whether there are as many. The parameter
// n must be less than bufferBytes.
func (s *scanner) has(n int) bool { return s.w-s.r >= n || s.fill(n) }

func (s *scanner) fill(n int) bool {
	if s.end != nil {
		return false
	}
	copy(s.buf, s.buf[s.r:s.w])
	s.base += int64(s.r)
	s.r, s.w = 0, s.w-s.r
	for empty := 0; s.w < n && s.end == nil; empty++ {
		got, err := s.body.Read(s.buf[s.w:])
		s.w, s.end = s.w+got, err
		if got > 0 {
			empty = 0
		}
		if empty >= maxEmptyReads && s.end == nil {
			s.end = io.ErrNoProgress
		}
	}
	return s.w >= n
}

// misc skips what may be outside the root element: white space, comments and processing
// instructions. It reports whether a tag follows.
func (s *scanner) misc() (isTag bool, err error) {
	if s.base == 0 && s.r == 0 && s.has(len(byteOrderMark)) && string(s.buf[:len(byteOrderMark)]) == byteOrderMark {
		s.r += len(byteOrderMark)
	}
	for err == nil {
		s.space()
		switch {
		case !s.has(1):
			if s.end == io.EOF { //nolint:errorlint // io.Reader requires that EOF is not wrapped
				return false, nil
			}
			return false, s.cut()
		case s.buf[s.r] != '<':
			return false, s.fault("text outside the root element")
		case !s.has(2):
			return false, s.cut()
		case s.buf[s.r+1] == '?':
			err = s.instruction()
		case s.buf[s.r+1] == '!':
			err = s.comment()
		default:
			return true, nil
		}
	}
	return false, err
}

const byteOrderMark = "\uFEFF"

// next moves to the next tag, and reports whether it is the start of an element. If it is not, it
// is the end of the element that was open.
func (s *scanner) next() (isStart bool, err error) {
	if s.empty {
		s.empty = false
		s.pop()
		return false, nil
	}
	for err == nil {
		if err = s.characters('<'); err != nil {
			break
		}
		if !s.has(2) {
			return false, s.cut()
		}
		switch s.buf[s.r+1] {
		case '/':
			return false, s.endTag()
		case '?':
			err = s.instruction()
		case '!':
			err = s.declaration()
		default:
			return true, s.startTag()
		}
	}
	return false, err
}

// value returns the text of the current element, and moves to its end. The result is valid until
// the next call.
func (s *scanner) value() ([]byte, error) {
	if n := plain(s.buf[s.r:s.w], '<'); !s.empty && isEnd(s.buf[s.r+n:s.w], s.name()) { // most values
		text := s.buf[s.r : s.r+n]
		s.r += n + len("</>") + len(s.name())
		s.pop()
		return text, nil
	}
	s.text, s.keep = s.text[:0], true
	isStart, err := s.next()
	s.keep = false
	if err == nil && isStart {
		err = s.fault("an element inside a value")
	}
	return s.text, err
}

// skip moves to the end of the current element.
func (s *scanner) skip() error {
	for depth := len(s.open); len(s.open) >= depth; {
		if _, err := s.next(); err != nil {
			return err
		}
	}
	return nil
}

// name returns the name of the current element.
func (s *scanner) name() []byte { return s.names[s.open[len(s.open)-1]:] }

// local returns the name of the current element, whose start tag was scanned last, without its
// prefix.
func (s *scanner) local() []byte {
	if s.hasPrefix {
		return s.name()[bytes.IndexByte(s.name(), ':')+1:]
	}
	return s.name()
}

func (s *scanner) pop() {
	last := len(s.open) - 1
	s.names, s.open = s.names[:s.open[last]], s.open[:last]
}
