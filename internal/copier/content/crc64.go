package content

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc64"
)

// crc64NVMe is the polynomial of CRC-64/NVME in the reversed form that hash/crc64 expects (NVM
// Express Base Specification 2.0, "64b CRC"; Amazon S3 User Guide, "Checking object integrity").
const crc64NVMe = 0x9a6c9329ac4bc9b5

// Checksummer computes CRC64NVME, the only checksum that S3 stores for whole objects regardless of
// how they were uploaded.
type Checksummer struct {
	table *crc64.Table
}

// NewChecksummer returns a Checksummer.
func NewChecksummer() Checksummer { return Checksummer{crc64.MakeTable(crc64NVMe)} }

// Sum returns the checksum of b.
func (c Checksummer) Sum(b []byte) uint64 { return crc64.Checksum(b, c.table) }

// shift is a matrix over GF(2), by columns. It describes the effect on a CRC of appending n bytes:
// the CRC of A followed by B is the CRC of A, multiplied by the shift for the length of B, XOR the
// CRC of B.
type shift [64]uint64

// shiftPast returns the shift for length bytes. Like zlib's crc32_combine, it squares the matrix
// for one bit.
func shiftPast(length int64) shift {
	var step, whole shift
	step[0] = crc64NVMe // a zero bit shifts the CRC right, and divides if a one is shifted out
	for bit := 1; bit < 64; bit++ {
		step[bit] = 1 << (bit - 1)
	}
	for bit := range whole {
		whole[bit] = 1 << bit
	}
	for bits := uint64(length) * 8; bits > 0; bits >>= 1 { //nolint:gosec // a length is never negative
		if bits&1 == 1 {
			whole = step.after(&whole)
		}
		step = step.after(&step)
	}
	return whole
}

func (s *shift) after(first *shift) (both shift) {
	for bit := range first {
		both[bit] = s.of(first[bit])
	}
	return both
}

// of multiplies the matrix by a checksum.
func (s *shift) of(sum uint64) (product uint64) {
	for bit := 0; sum != 0; bit, sum = bit+1, sum>>1 {
		if sum&1 == 1 {
			product ^= s[bit]
		}
	}
	return product
}

// Joined computes the checksum of pieces that are joined in order. The zero Joined is the checksum
// of no pieces.
type Joined struct {
	sum    uint64
	length int64 // length of the last piece; past is the shift for this length, cached because most pieces have the same length
	past   shift
}

// Add appends a piece with the checksum sum and the given length in bytes.
func (j *Joined) Add(sum uint64, length int64) {
	if length != j.length {
		j.past, j.length = shiftPast(length), length
	}
	j.sum = j.past.of(j.sum) ^ sum
}

// Sum returns the checksum of all pieces.
func (j *Joined) Sum() uint64 { return j.sum }

// Decode decodes a checksum from a response of S3. The result ok is false if the checksum is
// missing or invalid.
func Decode(value *string) (sum uint64, ok bool) {
	if value == nil {
		return 0, false
	}
	raw, err := base64.StdEncoding.DecodeString(*value)
	if err != nil || len(raw) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(raw), true
}

// Encode encodes a checksum for a request header of S3.
func Encode(sum uint64) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, sum))
}
