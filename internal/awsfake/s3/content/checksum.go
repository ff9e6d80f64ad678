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

// Checksum algorithms in requests.
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

// ChecksumHeader returns the header of an algorithm, for example "x-amz-checksum-crc32" for CRC32.
func ChecksumHeader(algorithm string) string {
	return "x-amz-checksum-" + strings.ToLower(algorithm)
}

// SentChecksum returns the algorithm and the value of the checksum in a request's headers. If the
// headers only announce a checksum in the trailer, the value is "". If there is no checksum, both
// results are "".
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

// NewHash returns a hash for an algorithm, or nil if S3 does not support it.
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

// Checksum is the checksum that S3 stores with an object.
type Checksum struct {
	Algorithm string
	Value     string // base64, with "-N" if composite
	Composite bool
}

// Write writes the checksum to a response, as the element ChecksumCRC32 for CRC32, and so on.
func (s Checksum) Write(x *wire.XML) { x.Element("Checksum"+s.Algorithm, s.Value) }

// Kind returns "COMPOSITE" or "FULL_OBJECT".
func (s Checksum) Kind() string {
	if s.Composite {
		return "COMPOSITE"
	}
	return "FULL_OBJECT"
}
