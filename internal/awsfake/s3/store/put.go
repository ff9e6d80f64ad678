package store

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"time"

	"syncd/internal/awsfake/s3/content"
)

// PutOptions are the properties of an object that the Go API puts into a bucket. The zero value is
// a plain object in STANDARD.
type PutOptions struct {
	ContentType  string
	Headers      map[string]string // "Cache-Control", "Content-Encoding", ...
	Metadata     map[string]string
	Tags         map[string]string
	Annotations  map[string]string
	StorageClass string
	KeyARN       string    // "": the bucket's default encryption
	NoChecksum   bool      // S3 stores no checksum, as for objects from before S3 computed them by default
	Multipart    bool      // as if uploaded in parts of 8 MiB: the ETag ends in -N
	LastModified time.Time // zero: now
	Owner        string    // the account that wrote it while the bucket's Object Ownership was "object writer"; "" for the bucket's own

	ArchiveTier     bool   // INTELLIGENT_TIERING: in the archive tier, unreadable until restored
	SSEC            bool   // stored with a customer-provided key (SSE-C): no request can read it
	DSSE            bool   // dual-layer encryption (aws:kms:dsse) with KeyARN or the bucket's default key
	WebsiteRedirect string // x-amz-website-redirect-location
	Lock            Lock   // requires a bucket with object lock
}

// Put stores an object without an S3 request, and so without authorisation. It uses the bucket's
// default encryption unless the options set another. It panics if the options name a key that does
// not exist, or set a lock and the bucket has no object lock.
func (b *Bucket) Put(key string, body content.Body, o PutOptions) ObjectInfo {
	s := b.s3
	crypt, aead := s.WrapNewKey(b.ownersRule(o), b.name, key)
	obj := &Object{
		Key: key, Modified: o.LastModified.Truncate(time.Second), Crypt: crypt, StorageClass: o.StorageClass,
		Headers: maps.Clone(o.Headers), Metadata: maps.Clone(o.Metadata), Tags: maps.Clone(o.Tags), Annotations: maps.Clone(o.Annotations),
		ArchiveTier: o.ArchiveTier, Redirect: o.WebsiteRedirect, Lock: o.Lock, Owner: o.Owner,
	}
	if obj.Headers == nil {
		obj.Headers = map[string]string{}
	}
	obj.Headers["Content-Type"] = cmp.Or(o.ContentType, "binary/octet-stream")
	if o.LastModified.IsZero() {
		obj.Modified = s.cloud.Now().Truncate(time.Second)
	}
	obj.Content = s.Sealer(aead).Of(body, &s.Patterns)
	obj.Size, obj.CRC = body.Size(), obj.Content.Checksum(s.CRC)
	if !o.NoChecksum {
		obj.Checksum = content.Checksum{Algorithm: content.AlgorithmCRC64NVME, Value: content.EncodeCRC64(obj.CRC)}
	}
	obj.ETag = s.ownersETag(body, crypt)
	if o.Multipart {
		obj.Parts = partsOf(body.Size())
		obj.ETag = fmt.Sprintf("%s-%d", s.cloud.Random.Hex(16), len(obj.Parts))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if o.Lock != (Lock{}) && !b.set.ObjectLock {
		panic(fmt.Sprintf("BUG: bucket %q has no object lock", b.name))
	}
	b.insert(obj)
	return obj.info(s.cloud.Now())
}

// ownersRule returns the encryption of an object put with the Go API.
func (b *Bucket) ownersRule(o PutOptions) EncryptionRule {
	rule := b.EncryptionRule()
	if o.KeyARN != "" {
		rule.Key = b.s3.Keys.MustKey(o.KeyARN)
	}
	switch {
	case o.SSEC:
		return EncryptionRule{customer: true}
	case o.DSSE && rule.Key == nil:
		panic(fmt.Sprintf("BUG: no key for DSSE in bucket %q", b.name))
	case o.DSSE:
		rule.Dual = true
	}
	return rule
}

// partsOf returns the part sizes of an object that appears to have been uploaded in parts of 8 MiB.
func partsOf(size int64) (parts []int64) {
	const part = 8 << 20
	for left := size; left > 0 || parts == nil; left -= part {
		parts = append(parts, min(left, part))
	}
	return parts
}

// ownersETag returns the MD5 of the body if S3 uses it as the ETag and it is cheap to compute,
// otherwise an opaque ETag.
func (s *Store) ownersETag(body content.Body, crypt Encryption) string {
	if !crypt.Opaque() {
		if sum, ok := body.MD5(); ok {
			return hex.EncodeToString(sum)
		}
	}
	return s.cloud.Random.Hex(16)
}
