package content

import (
	"crypto/sha1" // x-amz-checksum-sha1 is part of the S3 API
	"crypto/sha256"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"net/http"
	"strings"

	"syncd/internal/awsfake/wire"
)

// The checksum algorithms that requests may name.
const (
	algorithmCRC32     = "CRC32"
	algorithmCRC32C    = "CRC32C"
	AlgorithmCRC64NVME = "CRC64NVME"
	AlgorithmSHA1      = "SHA1"
	AlgorithmSHA256    = "SHA256"
)

func checksumAlgorithms() []string {
	return []string{AlgorithmCRC64NVME, algorithmCRC32, algorithmCRC32C, AlgorithmSHA1, AlgorithmSHA256}
}

// ChecksumHeader is "x-amz-checksum-crc32" for CRC32, and so on.
func ChecksumHeader(algorithm string) string {
	return "x-amz-checksum-" + strings.ToLower(algorithm)
}

// SentChecksum is the algorithm of the checksum that a request carries, in a header (with its
// value) or announced for the trailer (without); "" for none.
func SentChecksum(h http.Header) (algorithm, value string) {
	trailer := strings.ToLower(h.Get("X-Amz-Trailer"))
	for _, a := range checksumAlgorithms() {
		name := ChecksumHeader(a)
		if v := h.Get(name); v != "" {
			return a, v
		}
		if trailer == name {
			return a, ""
		}
	}
	return "", ""
}

// NewHash is nil for an algorithm that S3 does not know.
func NewHash(algorithm string) hash.Hash {
	switch algorithm {
	case algorithmCRC32:
		return crc32.NewIEEE()
	case algorithmCRC32C:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case AlgorithmCRC64NVME:
		return crc64.New(crc64.MakeTable(nvmePolynomial))
	case AlgorithmSHA1:
		return sha1.New()
	case AlgorithmSHA256:
		return sha256.New()
	}
	return nil
}

// Checksum is the one that S3 stores with an object.
type Checksum struct {
	Algorithm string
	Value     string // base64, with "-N" when composite
	Composite bool
}

// Write writes the checksum into an answer: its value as ChecksumCRC32 for CRC32, and so on.
func (s Checksum) Write(x *wire.XML) { x.Element("Checksum"+s.Algorithm, s.Value) }

// Kind is "COMPOSITE" or "FULL_OBJECT".
func (s Checksum) Kind() string {
	if s.Composite {
		return "COMPOSITE"
	}
	return "FULL_OBJECT"
}
