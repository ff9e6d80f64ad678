package store

import (
	"time"

	"syncd/internal/awsfake/s3/content"
)

// Upload is a multipart upload in progress.
type Upload struct {
	ID, Key   string
	Initiator string // the caller's ARN
	Initiated time.Time
	Draft     *Draft
	Crypt     Encryption
	Composite bool          // the checksum is computed from the parts' checksums
	Parts     map[int]*Part // guarded by Bucket.mu
}

// Part is one uploaded part.
type Part struct {
	Number   int
	ETag     string
	Size     int64
	Modified time.Time
	Content  content.Content
	Checksum content.Checksum
}
