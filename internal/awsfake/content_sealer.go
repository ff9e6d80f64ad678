package awsfake

import (
	"crypto/cipher"
	"fmt"
	"io"
)

// sealer seals runs of bytes under one data key.
type sealer struct {
	key    cipher.AEAD
	crc    *crc64nvme
	random *random
}

// seal takes exactly size bytes from r; io.ErrUnexpectedEOF means that there were fewer.
func (s *sealer) seal(r io.Reader, size int64) (extent, error) {
	run := &sealed{size: size}
	copy(run.nonce[:], s.random.bytes(len(run.nonce)))
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

// reseal is the content of n bytes from offset on under another data key. Synthetic extents are cut
// to size and carried over; sealed ones are opened with one key and sealed with the other.
func (s *sealer) reseal(c content, from cipher.AEAD, offset, n int64) (content, error) {
	var out content
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
			got, err := s.seal(content{e}.reader(from, offset, piece), piece)
			if err != nil {
				return nil, err
			}
			out = append(out, got)
		}
		offset, n = 0, n-piece
	}
	return out, nil
}

// of is the body at rest.
func (s *sealer) of(b Body, known *patterns) content {
	if b.pattern == nil {
		e, err := s.seal(b.Reader(), b.size)
		if err != nil {
			panic(fmt.Sprintf("BUG: seal %d bytes in memory: %v", b.size, err))
		}
		return content{e}
	}
	p := known.add(b.pattern)
	return content{{size: b.size, pattern: p, crc: p.checksum(s.crc, 0, b.size)}}
}
