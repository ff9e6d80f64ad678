package awsfake

import (
	"bytes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sync"
)

// period is the length after which a synthetic body repeats itself. It is the largest prime below
// 64 KiB: no two offsets that differ by a usual part size hold the same bytes, so that a copier that
// swaps, repeats or shifts a part produces a body with another checksum.
const period = 65521

// Body is the content of an object on its way into a bucket.
type Body struct {
	data    []byte
	pattern *pattern
	size    int64
}

// BytesBody is a body of real bytes. The slice must not be changed afterwards.
func BytesBody(data []byte) Body { return Body{data: data, size: int64(len(data))} }

// SyntheticBody is a body of size bytes that are generated when they are read; it costs the same
// memory at 1 KiB and at 20 TiB. Two bodies of one seed begin with the same bytes. Copies of such an
// object, and of ranges of it, stay synthetic, and so does an upload of 256 KiB and more that repeats a
// stretch of one. Checksums are exact; the ETag is opaque under SSE-S3 too, where an MD5 would take too
// long. Reading asks for the data key as with real bytes, though nothing is encrypted under it.
func SyntheticBody(size int64, seed uint64) Body {
	return Body{pattern: &pattern{seed: seed}, size: size}
}

// Size is the number of bytes.
func (b Body) Size() int64 { return b.size }

// Reader reads the body from its first byte.
func (b Body) Reader() io.Reader {
	if b.pattern == nil {
		return bytes.NewReader(b.data)
	}
	return content{{size: b.size, pattern: b.pattern}}.reader(nil, 0, b.size)
}

// pattern is the repeating block behind a synthetic body.
type pattern struct {
	seed uint64
	once sync.Once
	crc  uint64
}

// block generates the first n bytes of the pattern, at most one period (splitmix64 over the seed).
func (p *pattern) block(n int64) []byte {
	n = min(n, period)
	b := make([]byte, (n+7)/8*8)
	for i, state := 0, p.seed; i < len(b); i += 8 {
		state += 0x9e3779b97f4a7c15
		z := (state ^ state>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		binary.LittleEndian.PutUint64(b[i:], z^z>>31)
	}
	return b[:n]
}

// checksum is the CRC64NVME of n bytes from offset on, found without generating more than two
// periods: the CRC of k repetitions follows from the CRC of one.
func (p *pattern) checksum(crc *crc64nvme, offset, n int64) uint64 {
	start := offset % period
	if n <= period-start {
		return crc.of(p.block(start + n)[start:])
	}
	block := p.block(period)
	p.once.Do(func() { p.crc = crc.of(block) })
	sum := crc.of(block[start:])
	n -= period - start
	whole, tail := n/period, n%period
	sum = crc.combine(sum, crc.repeat(p.crc, period, whole), whole*period)
	return crc.combine(sum, crc.of(block[:tail]), tail)
}

// extent is a run of bytes of one origin: sealed bytes, or a stretch of a pattern.
type extent struct {
	size    int64
	crc     uint64 // CRC64NVME of the plaintext
	sealed  *sealed
	pattern *pattern
	offset  int64 // of the first byte within the endless repetition of pattern
}

// content is what an object is made of: extents, one behind the other.
type content []extent

func (c content) size() (n int64) {
	for _, e := range c {
		n += e.size
	}
	return n
}

// synthetic reports whether any of the bytes are generated.
func (c content) synthetic() bool {
	return slices.ContainsFunc(c, func(e extent) bool { return e.pattern != nil })
}

// checksum is the CRC64NVME of the whole plaintext.
func (c content) checksum(crc *crc64nvme) (sum uint64) {
	for _, e := range c {
		sum = crc.combine(sum, e.crc, e.size)
	}
	return sum
}

// reader reads n plaintext bytes from offset on, opening only the segments it passes.
func (c content) reader(key cipher.AEAD, offset, n int64) io.Reader {
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

// reseal is the content of n bytes from offset on under another data key. Synthetic extents are cut
// to size and carried over; sealed ones are opened with one key and sealed with the other.
func (c content) reseal(s *sealer, from cipher.AEAD, offset, n int64) (content, error) {
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

// contentReader walks extents and holds one opened segment (or pattern block) at a time.
type contentReader struct {
	key   cipher.AEAD
	rest  content
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
