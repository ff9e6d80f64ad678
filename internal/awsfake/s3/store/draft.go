package store

import (
	"time"

	"syncd/internal/awsfake/s3/content"
)

// Draft is the object that the headers of a PutObject, CopyObject or CreateMultipartUpload
// describe.
type Draft struct {
	Headers, Metadata, Tags map[string]string
	Annotations             map[string]string
	StorageClass            string
	Redirect, ACL           string
	Lock                    Lock
	Rule                    EncryptionRule
	Algorithm               string // algorithm of the checksum to store; "" for S3's default
	Conditions              Conditions
}

// Object returns an object with the draft's properties and the given content, encryption and date.
// The caller sets the ETag and the checksum.
func (d *Draft) Object(key string, at time.Time, crypt Encryption, body content.Content, crc *content.CRC) *Object {
	return &Object{
		Key: key, Modified: at.Truncate(time.Second), Content: body, Size: body.Size(),
		Crypt: crypt, Headers: d.Headers, Metadata: d.Metadata, Tags: d.Tags, Annotations: d.Annotations, StorageClass: d.StorageClass,
		Redirect: d.Redirect, Lock: d.Lock,
		CRC: body.Checksum(crc),
	}
}
