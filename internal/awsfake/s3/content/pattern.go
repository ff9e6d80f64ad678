package content

import (
	"bytes"
	"encoding/binary"
	"sync"
)

// period is the length after which a synthetic body repeats. It is the largest prime below 64 KiB
// and so divides no usual part size: two parts of an object contain different bytes. If a copier
// swaps, repeats or shifts a part, the copy therefore has another checksum than the source.
const period = 65521

// pattern is the repeating block of a synthetic body.
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

// checksum returns the CRC64NVME of n bytes from offset. It generates at most two periods, because
// the CRC of k repetitions follows from the CRC of one.
func (p *pattern) checksum(crc *CRC, offset, n int64) uint64 {
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

// find returns the first offset of probe in the repeated pattern, or -1.
func (p *pattern) find(probe []byte) int64 {
	block := p.block(period)
	return int64(bytes.Index(append(block, block[:len(probe)]...), probe))
}
