package awsfake

import "time"

// draft is an object as the headers of a PutObject, CopyObject or CreateMultipartUpload describe it.
type draft struct {
	headers, metadata, tags map[string]string
	annotations             map[string]string
	storageClass            string
	redirect, acl           string
	lock                    Lock
	rule                    encryptionRule
	algorithm               string // of the checksum to keep; "" for S3's choice
	conditions              writeConditions
}

// object is the draft filled with content, under a key and with a date; ETag and checksum are the caller's.
func (d *draft) object(key string, at time.Time, crypt encryption, body content, crc *crc64nvme) *object {
	return &object{
		key: key, modified: at.Truncate(time.Second), content: body, size: body.size(),
		crypt: crypt, headers: d.headers, metadata: d.metadata, tags: d.tags, annotations: d.annotations, storageClass: d.storageClass,
		redirect: d.redirect, lock: d.lock,
		crc: body.checksum(crc),
	}
}
