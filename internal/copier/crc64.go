package copier

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc64"
)

// crc64NVMe is the polynomial of CRC-64/NVME in the reversed form that hash/crc64 takes (NVM Express Base Specification 2.0,
// "64b CRC"; Amazon S3 User Guide, "Checking object integrity").
const crc64NVMe = 0x9a6c9329ac4bc9b5

// checksummer computes CRC64NVME, the one checksum that S3 keeps of whole objects however they were uploaded.
type checksummer struct {
	table *crc64.Table
}

func newChecksummer() checksummer { return checksummer{crc64.MakeTable(crc64NVMe)} }

func (c checksummer) sum(b []byte) uint64 { return crc64.Checksum(b, c.table) }

// combine returns the checksum of two pieces of content, one behind the other, from those of the pieces and the length in
// bytes of the second. It shifts the first past the second by squaring the step of one bit, as zlib's crc32_combine does.
func combine(first, second uint64, length int64) uint64 {
	var step, squared [64]uint64
	step[0] = crc64NVMe // one zero bit: shift right, and divide when a bit falls out
	for bit := 1; bit < 64; bit++ {
		step[bit] = 1 << (bit - 1)
	}
	for bits := uint64(length) * 8; bits > 0; bits >>= 1 { //nolint:gosec // a length is never negative
		if bits&1 == 1 {
			first = apply(&step, first)
		}
		for bit := range squared {
			squared[bit] = apply(&step, step[bit])
		}
		step = squared
	}
	return first ^ second
}

// apply multiplies a matrix over GF(2), given by its columns, with a vector of bits.
func apply(matrix *[64]uint64, vector uint64) (product uint64) {
	for bit := 0; vector != 0; bit, vector = bit+1, vector>>1 {
		if vector&1 == 1 {
			product ^= matrix[bit]
		}
	}
	return product
}

// encode renders a checksum as S3's headers have it.
func encode(sum uint64) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, sum))
}
