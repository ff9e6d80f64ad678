package content

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc64"
)

// nvmePolynomial is the reversed polynomial of CRC64NVME, the checksum that S3 stores with every
// object ("Checking object integrity", Amazon S3 User Guide).
const nvmePolynomial = 0x9a6c9329ac4bc9b5

// CRC computes CRC64NVME, and combines the CRCs of consecutive pieces.
type CRC struct{ table *crc64.Table }

// NewCRC returns a CRC with its table.
func NewCRC() *CRC { return &CRC{table: crc64.MakeTable(nvmePolynomial)} }

func (c *CRC) of(p []byte) uint64 { return c.update(0, p) }

func (c *CRC) update(sum uint64, p []byte) uint64 { return crc64.Update(sum, c.table, p) }

// combine returns the CRC of A followed by B, given both CRCs and the length of B.
func (c *CRC) combine(a, b uint64, lenB int64) uint64 {
	if lenB == 0 {
		return a
	}
	return multiply(shift(lenB), a) ^ b
}

// repeat returns the CRC of k repetitions of a block, given the block's CRC and length.
func (c *CRC) repeat(sum uint64, length, k int64) uint64 {
	var out uint64
	step, by := sum, shift(length) // in iteration i: the CRC and the shift of 2^i blocks
	for ; k > 0; k >>= 1 {
		if k&1 == 1 {
			out = multiply(by, out) ^ step
		}
		step = multiply(by, step) ^ step
		by = multiply(by, by)
	}
	return out
}

// multiply returns a*b modulo the polynomial, over GF(2), in reflected bit order.
func multiply(a, b uint64) (product uint64) {
	for ; a != 0; a <<= 1 {
		if a>>63 == 1 {
			product ^= b
		}
		b = b>>1 ^ nvmePolynomial&-(b&1)
	}
	return product
}

// shift returns x^(8n) modulo the polynomial. Multiplying a CRC by it moves the CRC past n bytes.
func shift(n int64) uint64 {
	out, power := uint64(1)<<63, uint64(1)<<55 // x^0, x^8
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			out = multiply(power, out)
		}
		power = multiply(power, power)
	}
	return out
}

// EncodeCRC64 returns the base64 form that S3 uses in headers.
func EncodeCRC64(sum uint64) string {
	return base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint64(nil, sum))
}
