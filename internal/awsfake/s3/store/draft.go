package store

import (
	"time"

	"syncd/internal/awsfake/s3/content"
)

// Draft is an object as the headers of a PutObject, CopyObject or CreateMultipartUpload describe
// it.
type Draft struct {
	Headers, Metadata, Tags map[string]string
	Annotations             map[string]string
	StorageClass            string
	Redirect, ACL           string
	Lock                    Lock
	Rule                    EncryptionRule
	Algorithm               string // of the checksum to keep; "" for S3's choice
	Conditions              Conditions
}

// Object is the draft filled with content, under a key and with a date; ETag and checksum are the
// caller's.
func (d *Draft) Object(key string, at time.Time, crypt Encryption, body content.Content, crc *content.CRC) *Object {
	return &Object{
		Key: key, Modified: at.Truncate(time.Second), Content: body, Size: body.Size(),
		Crypt: crypt, Headers: d.Headers, Metadata: d.Metadata, Tags: d.Tags, Annotations: d.Annotations, StorageClass: d.StorageClass,
		Redirect: d.Redirect, Lock: d.Lock,
		CRC: body.Checksum(crc),
	}
}
