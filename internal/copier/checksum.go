package copier

import (
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// checksum is one algorithm's answer.
type checksum struct {
	algorithm string
	value     *string
}

// checksumOf returns the first checksum that is there, as "algorithm:base64", or "".
func checksumOf(answers []checksum) string {
	for _, a := range answers {
		if a.value != nil && *a.value != "" {
			return a.algorithm + ":" + *a.value
		}
	}
	return ""
}

// copyChecksums lists the checksums of a copy, the full-object ones first.
func copyChecksums(r *types.CopyObjectResult) []checksum {
	return []checksum{
		{"crc64nvme", r.ChecksumCRC64NVME},
		{"crc32", r.ChecksumCRC32},
		{"crc32c", r.ChecksumCRC32C},
		{"sha256", r.ChecksumSHA256},
		{"sha1", r.ChecksumSHA1},
	}
}

// headChecksums lists the checksums of a whole object; those of parts, which depend on how it was uploaded, are none.
func headChecksums(h *s3.HeadObjectOutput) []checksum {
	if h.ChecksumType == types.ChecksumTypeComposite {
		h = &s3.HeadObjectOutput{}
	}
	return []checksum{
		{"crc64nvme", h.ChecksumCRC64NVME},
		{"crc32", h.ChecksumCRC32},
		{"crc32c", h.ChecksumCRC32C},
		{"sha256", h.ChecksumSHA256},
		{"sha1", h.ChecksumSHA1},
	}
}
