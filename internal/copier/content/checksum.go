package content

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Checksum is an object's checksum in one algorithm, as returned by the service.
type Checksum struct {
	// Algorithm is the name of the algorithm. Value is the checksum in base64, nil if the response
	// contains none.
	Algorithm string
	Value     *string
}

// Named returns the first checksum that has a value, as "algorithm:base64", or "".
func Named(answers []Checksum) string {
	for _, a := range answers {
		if value := aws.ToString(a.Value); value != "" {
			return a.Algorithm + ":" + value
		}
	}
	return ""
}

// OfCopy lists the checksums of a copy, in order of preference.
func OfCopy(r *types.CopyObjectResult) []Checksum {
	return []Checksum{
		{"crc64nvme", r.ChecksumCRC64NVME},
		{"crc32", r.ChecksumCRC32},
		{"crc32c", r.ChecksumCRC32C},
		{"sha256", r.ChecksumSHA256},
		{"sha1", r.ChecksumSHA1},
	}
}

// OfHead lists the checksums of a whole object. It omits composite checksums, which depend on how
// the object was uploaded.
func OfHead(h *s3.HeadObjectOutput) []Checksum {
	if h.ChecksumType == types.ChecksumTypeComposite {
		h = &s3.HeadObjectOutput{}
	}
	return []Checksum{
		{"crc64nvme", h.ChecksumCRC64NVME},
		{"crc32", h.ChecksumCRC32},
		{"crc32c", h.ChecksumCRC32C},
		{"sha256", h.ChecksumSHA256},
		{"sha1", h.ChecksumSHA1},
	}
}
