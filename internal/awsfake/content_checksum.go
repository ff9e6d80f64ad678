package awsfake

import (
	"crypto/sha1" // x-amz-checksum-sha1 is part of the S3 API
	"crypto/sha256"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"net/http"
	"strings"
)

// The checksum algorithms that requests may name.
const (
	algorithmCRC32     = "CRC32"
	algorithmCRC32C    = "CRC32C"
	algorithmCRC64NVME = "CRC64NVME"
	algorithmSHA1      = "SHA1"
	algorithmSHA256    = "SHA256"
)

func checksumAlgorithms() []string {
	return []string{algorithmCRC64NVME, algorithmCRC32, algorithmCRC32C, algorithmSHA1, algorithmSHA256}
}

// checksumHeader is "x-amz-checksum-crc32" for CRC32, and so on.
func checksumHeader(algorithm string) string {
	return "x-amz-checksum-" + strings.ToLower(algorithm)
}

// checksumElement is "ChecksumCRC32" for CRC32: the same checksum inside an XML answer.
func checksumElement(algorithm string) string { return "Checksum" + algorithm }

// sentChecksum is the algorithm of the checksum that a request carries, in a header (with its value)
// or announced for the trailer (without); "" for none.
func sentChecksum(h http.Header) (algorithm, value string) {
	trailer := strings.ToLower(h.Get("X-Amz-Trailer"))
	for _, a := range checksumAlgorithms() {
		name := checksumHeader(a)
		if v := h.Get(name); v != "" {
			return a, v
		}
		if trailer == name {
			return a, ""
		}
	}
	return "", ""
}

// newHash is nil for an algorithm that S3 does not know.
func newHash(algorithm string) hash.Hash {
	switch algorithm {
	case algorithmCRC32:
		return crc32.NewIEEE()
	case algorithmCRC32C:
		return crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case algorithmCRC64NVME:
		return crc64.New(crc64.MakeTable(nvmePolynomial))
	case algorithmSHA1:
		return sha1.New()
	case algorithmSHA256:
		return sha256.New()
	}
	return nil
}

// checksum is the one that S3 stores with an object.
type checksum struct {
	algorithm string
	value     string // base64, with "-N" when composite
	composite bool
}

func (s checksum) kind() string {
	if s.composite {
		return "COMPOSITE"
	}
	return "FULL_OBJECT"
}
