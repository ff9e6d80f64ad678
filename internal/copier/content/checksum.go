package content

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// Checksum is what an answer says of an object in one algorithm.
type Checksum struct {
	// Algorithm is its name, and Value the checksum in base64, nil where the answer has none.
	Algorithm string
	Value     *string
}

// Named returns the first checksum that is there, as "algorithm:base64", or "".
func Named(answers []Checksum) string {
	for _, a := range answers {
		if value := aws.ToString(a.Value); value != "" {
			return a.Algorithm + ":" + value
		}
	}
	return ""
}

// OfCopy lists the checksums of a copy, the full-object ones first.
func OfCopy(r *types.CopyObjectResult) []Checksum {
	return []Checksum{
		{"crc64nvme", r.ChecksumCRC64NVME},
		{"crc32", r.ChecksumCRC32},
		{"crc32c", r.ChecksumCRC32C},
		{"sha256", r.ChecksumSHA256},
		{"sha1", r.ChecksumSHA1},
	}
}

// OfHead lists the checksums of a whole object; those of parts, which depend on how it was
// uploaded, are none.
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
