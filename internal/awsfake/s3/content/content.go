// Package content is the bytes of objects: sealed at rest, or generated when they are read.
//
// It promises that real bytes are encrypted under a data key and that a changed one does not go
// unnoticed, that a synthetic body of many gigabytes costs no memory, nor do copies and uploads
// that repeat a stretch of one, and that checksums of all of them are exact. Keys and objects it
// leaves to its users.
//
// Words to know. A pattern is the repeating block of a synthetic body; an extent is a run of bytes
// of one origin, and a [Content] is extents in a row; a [Sealer] makes them under one data key.
package content

import (
	"crypto/cipher"
	"fmt"
	"io"
	"slices"
)

// extent is a run of bytes of one origin: sealed bytes, or a stretch of a pattern.
type extent struct {
	size    int64
	crc     uint64 // CRC64NVME of the plaintext
	sealed  *sealed
	pattern *pattern
	offset  int64 // of the first byte within the endless repetition of pattern
}

// Content is what an object is made of: extents, one behind the other.
type Content []extent

// Size is the number of bytes.
func (c Content) Size() (n int64) {
	for _, e := range c {
		n += e.size
	}
	return n
}

// Synthetic reports whether any of the bytes are generated.
func (c Content) Synthetic() bool {
	return slices.ContainsFunc(c, func(e extent) bool { return e.pattern != nil })
}

// AtRest is the bytes as they are stored, a slice a run; those that are generated are stored
// nowhere.
func (c Content) AtRest() (runs [][]byte) {
	for _, e := range c {
		if e.sealed != nil {
			runs = append(runs, e.sealed.box)
		}
	}
	return runs
}

// Checksum is the CRC64NVME of the whole plaintext.
func (c Content) Checksum(crc *CRC) (sum uint64) {
	for _, e := range c {
		sum = crc.combine(sum, e.crc, e.size)
	}
	return sum
}

// Reader reads n plaintext bytes from offset on, opening only the segments it passes.
func (c Content) Reader(key cipher.AEAD, offset, n int64) io.Reader {
	r := &contentReader{key: key, left: n}
	for i, e := range c {
		if offset < e.size {
			r.rest, r.at = c[i:], offset
			break
		}
		offset -= e.size
	}
	return r
}

// contentReader walks extents and holds one opened segment (or pattern block) at a time.
type contentReader struct {
	key   cipher.AEAD
	rest  Content
	at    int64 // position within rest[0]
	left  int64
	ready []byte
	block []byte   // of the pattern last read
	owner *pattern // whose block that is
}

func (r *contentReader) Read(p []byte) (int, error) {
	if len(r.ready) == 0 {
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

func (r *contentReader) fill() error {
	for len(r.rest) > 0 && r.at >= r.rest[0].size {
		r.rest, r.at = r.rest[1:], 0
	}
	if r.left == 0 || len(r.rest) == 0 {
		return io.EOF
	}
	e := r.rest[0]
	piece, err := r.next(e)
	if err != nil {
		return err
	}
	n := min(int64(len(piece)), e.size-r.at, r.left)
	r.ready = piece[:n]
	r.at, r.left = r.at+n, r.left-n
	return nil
}

func (r *contentReader) next(e extent) ([]byte, error) {
	if e.pattern == nil {
		piece, err := e.sealed.open(r.key, r.at/segmentSize)
		if err != nil {
			return nil, fmt.Errorf("open segment %d: %w", r.at/segmentSize, err)
		}
		return piece[r.at%segmentSize:], nil
	}
	if need := min(period, e.offset+e.size); r.owner != e.pattern || int64(len(r.block)) < need {
		r.block, r.owner = e.pattern.block(need), e.pattern
	}
	return r.block[(e.offset+r.at)%period:], nil
}
