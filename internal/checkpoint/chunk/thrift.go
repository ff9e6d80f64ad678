package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

const (
	// maxNesting is the maximum nesting depth of values in a footer or a page header. A Parquet footer nests about
	// ten deep.
	maxNesting = 32

	// maxElements is the maximum number of elements in all lists of a footer together. The footer
	// of a chunk with 65,536 entries has about two thousand elements. The limit is needed because
	// the Parquet reader allocates a few hundred bytes for an element that can be a single byte in
	// the footer.
	maxElements = 1 << 18
)

// The types of the compact protocol (Apache Thrift, "Thrift Compact protocol encoding").
const (
	thriftStop = iota
	thriftTrue
	thriftFalse
	thriftByte
	thriftInt16
	thriftInt32
	thriftInt64
	thriftDouble
	thriftBinary
	thriftList
	thriftSet
	thriftMap
	thriftStruct
)

// errThrift reports data that is not a struct in Thrift's compact protocol.
var errThrift = errors.New("not in Thrift's compact protocol")

// checkThrift checks that data begins with a struct in Thrift's compact protocol, and that its
// lists, sets, maps and binaries fit in data. A decoder allocates memory for the declared sizes
// before it notices that the data is missing.
func checkThrift(data []byte) error {
	s := &skimmer{left: data, elements: maxElements}
	return s.fields(0)
}

// skimmer skips values.
type skimmer struct {
	left     []byte
	elements int // number of elements that are still allowed
}

// fields skips the fields of a struct. The low half of a field's first byte is its type. The high
// half is the difference from the previous field's number, or 0 if the number follows.
func (s *skimmer) fields(depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("%w: more than %d nested values", errThrift, maxNesting)
	}
	for {
		head, err := s.octet()
		if err != nil || head == thriftStop {
			return err
		}
		if head>>4 == 0 {
			if _, err := s.varint(); err != nil {
				return err
			}
		}
		kind := head & 0x0f
		if kind == thriftTrue || kind == thriftFalse {
			continue // a boolean field has no other bytes: its type is its value
		}
		if err := s.value(kind, depth+1); err != nil {
			return err
		}
	}
}

// value skips a value of type kind, in a field or as an element.
func (s *skimmer) value(kind byte, depth int) error {
	switch kind {
	case thriftTrue, thriftFalse, thriftByte: // as an element
		return s.skip(1)
	case thriftInt16, thriftInt32, thriftInt64:
		_, err := s.varint()
		return err
	case thriftDouble:
		return s.skip(8)
	case thriftBinary:
		n, err := s.varint()
		if err != nil {
			return err
		}
		return s.skip(n)
	case thriftList, thriftSet:
		return s.list(depth)
	case thriftMap:
		return s.pairs(depth)
	case thriftStruct:
		return s.fields(depth)
	default:
		return fmt.Errorf("%w: type %d", errThrift, kind)
	}
}

// list skips a list or set. The high half of its first byte is the size, or 15 if the size follows;
// the low half is the type of the elements.
func (s *skimmer) list(depth int) error {
	head, err := s.octet()
	if err != nil {
		return err
	}
	size := uint64(head >> 4)
	if size == 0x0f {
		if size, err = s.varint(); err != nil {
			return err
		}
	}
	return s.each(size, depth, head&0x0f)
}

// pairs skips a map. A map begins with its size; if the size is not zero, one byte with the types
// of keys and values follows, and then the pairs.
func (s *skimmer) pairs(depth int) error {
	size, err := s.varint()
	if err != nil || size == 0 {
		return err
	}
	kinds, err := s.octet()
	if err != nil {
		return err
	}
	return s.each(size, depth, kinds>>4, kinds&0x0f)
}

// each skips size values of each type in kinds. Each value has at least one byte.
func (s *skimmer) each(size uint64, depth int, kinds ...byte) error {
	if depth > maxNesting {
		return fmt.Errorf("%w: more than %d nested values", errThrift, maxNesting)
	}
	if size > uint64(len(s.left)) {
		return fmt.Errorf("%w: %d elements in %d bytes", errThrift, size, len(s.left))
	}
	if s.elements -= int(size); s.elements < 0 { //nolint:gosec // at most len(s.left)
		return fmt.Errorf("%w: more than %d elements", errThrift, maxElements)
	}
	for range size {
		for _, kind := range kinds {
			if err := s.value(kind, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *skimmer) octet() (byte, error) {
	if len(s.left) == 0 {
		return 0, fmt.Errorf("%w: unexpected end", errThrift)
	}
	b := s.left[0]
	s.left = s.left[1:]
	return b, nil
}

func (s *skimmer) varint() (uint64, error) {
	v, n := binary.Uvarint(s.left)
	if n <= 0 {
		return 0, fmt.Errorf("%w: invalid number", errThrift)
	}
	s.left = s.left[n:]
	return v, nil
}

func (s *skimmer) skip(n uint64) error {
	if n > math.MaxInt32 || n > uint64(len(s.left)) {
		return fmt.Errorf("%w: value of %d bytes, only %d left", errThrift, n, len(s.left))
	}
	s.left = s.left[n:]
	return nil
}
