package content

import (
	"crypto/cipher"
	"fmt"
	"io"

	"syncd/internal/awsfake/random"
)

// Sealer encrypts bytes with one data key.
type Sealer struct {
	key    cipher.AEAD
	crc    *CRC
	random *random.Source
}

// NewSealer returns a sealer for a data key. It takes its nonces from r.
func NewSealer(key cipher.AEAD, crc *CRC, r *random.Source) *Sealer {
	return &Sealer{key: key, crc: crc, random: r}
}

// seal reads and encrypts exactly size bytes from r. It returns io.ErrUnexpectedEOF if there are
// fewer.
func (s *Sealer) seal(r io.Reader, size int64) (extent, error) {
	run := &sealed{size: size}
	copy(run.nonce[:], s.random.Bytes(len(run.nonce)))
	run.box = make([]byte, 0, size+segments(size)*sealTagSize)
	buf := make([]byte, min(size, segmentSize))
	var crc uint64
	for n := range segments(size) {
		piece := buf[:min(segmentSize, size-n*segmentSize)]
		if _, err := io.ReadFull(r, piece); err != nil {
			return extent{}, unexpected(err)
		}
		crc = s.crc.update(crc, piece)
		run.box = s.key.Seal(run.box, run.nonceOf(n), piece, nil)
	}
	return extent{size: size, crc: crc, sealed: run}, nil
}

// Reseal returns n bytes of c from offset, encrypted with the sealer's data key. It cuts synthetic
// extents to size, and decrypts sealed extents with from.
func (s *Sealer) Reseal(c Content, from cipher.AEAD, offset, n int64) (Content, error) {
	var out Content
	for _, e := range c {
		if n == 0 {
			break
		}
		if offset >= e.size {
			offset -= e.size
			continue
		}
		piece := min(n, e.size-offset)
		if e.pattern != nil {
			at := e.offset + offset
			out = append(out, extent{size: piece, pattern: e.pattern, offset: at, crc: e.pattern.checksum(s.crc, at, piece)})
		} else {
			got, err := s.seal(Content{e}.Reader(from, offset, piece), piece)
			if err != nil {
				return nil, err
			}
			out = append(out, got)
		}
		offset, n = 0, n-piece
	}
	return out, nil
}

// Of encrypts a body.
func (s *Sealer) Of(b Body, known *Patterns) Content {
	if b.pattern == nil {
		e, err := s.seal(b.Reader(), b.size)
		if err != nil {
			panic(fmt.Sprintf("BUG: seal %d bytes in memory: %v", b.size, err))
		}
		return Content{e}
	}
	p := known.add(b.pattern)
	return Content{{size: b.size, pattern: p, crc: p.checksum(s.crc, 0, b.size)}}
}
