package content

import (
	"crypto/cipher"
	"fmt"
	"io"

	"syncd/internal/awsfake/random"
)

// Sealer seals runs of bytes under one data key.
type Sealer struct {
	key    cipher.AEAD
	crc    *CRC
	random *random.Source
}

// NewSealer seals under a data key; its nonces come from the source.
func NewSealer(key cipher.AEAD, crc *CRC, r *random.Source) *Sealer {
	return &Sealer{key: key, crc: crc, random: r}
}

// seal takes exactly size bytes from r; io.ErrUnexpectedEOF means that there were fewer.
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

// Reseal is the content of n bytes from offset on under another data key. Synthetic extents are cut
// to size and carried over; sealed ones are opened with one key and sealed with the other.
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

// Of is the body at rest.
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
