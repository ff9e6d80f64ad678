package awsfake

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"maps"
	"time"
)

// PutOptions are the properties of an object put by the owner's hand; the zero value is a plain
// object in STANDARD.
type PutOptions struct {
	ContentType  string
	Headers      map[string]string // "Cache-Control", "Content-Encoding", ...
	Metadata     map[string]string
	Tags         map[string]string
	Annotations  map[string]string
	StorageClass string
	KeyARN       string    // "": the bucket's default encryption
	NoChecksum   bool      // S3 stores none with it, as with what was written before it computed them by itself
	Multipart    bool      // as if uploaded in parts of 8 MiB: the ETag ends in -N
	LastModified time.Time // zero: now
	Owner        string    // the account that wrote it while the bucket's Object Ownership was "object writer"; "" is the bucket's own

	ArchiveTier     bool   // of INTELLIGENT_TIERING: sunk to the archive tier, unreadable until restored
	SSEC            bool   // stored under a key of the customer (SSE-C): no request can read it
	DSSE            bool   // dual-layer encryption (aws:kms:dsse) under KeyARN or the bucket's default key
	WebsiteRedirect string // x-amz-website-redirect-location
	Lock            Lock   // the bucket must have object lock
}

// Put stores an object by the owner's hand, encrypted under the bucket's default key unless the options
// say otherwise. Options that contradict the bucket are a bug of the caller and panic.
func (b *Bucket) Put(key string, body Body, o PutOptions) ObjectInfo {
	s := b.s3
	crypt, aead := s.wrapNewKey(b.ownersRule(o), b.name, key)
	obj := &object{
		key: key, modified: o.LastModified.Truncate(time.Second), crypt: crypt, storageClass: o.StorageClass,
		headers: maps.Clone(o.Headers), metadata: maps.Clone(o.Metadata), tags: maps.Clone(o.Tags), annotations: maps.Clone(o.Annotations),
		archiveTier: o.ArchiveTier, redirect: o.WebsiteRedirect, lock: o.Lock, owner: o.Owner,
	}
	if obj.headers == nil {
		obj.headers = map[string]string{}
	}
	obj.headers["Content-Type"] = cmp.Or(o.ContentType, "binary/octet-stream")
	if o.LastModified.IsZero() {
		obj.modified = s.cloud.now().Truncate(time.Second)
	}
	obj.content = s.sealer(aead).of(body, &s.patterns)
	obj.size, obj.crc = body.Size(), obj.content.checksum(s.crc)
	if !o.NoChecksum {
		obj.checksum = checksum{algorithm: algorithmCRC64NVME, value: encodeCRC64(obj.crc)}
	}
	obj.etag = s.ownersETag(body, crypt)
	if o.Multipart {
		obj.parts = partsOf(body.Size())
		obj.etag = fmt.Sprintf("%s-%d", s.cloud.random.hex(16), len(obj.parts))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if o.Lock != (Lock{}) && !b.set.objectLock {
		panic(fmt.Sprintf("BUG: bucket %q has no object lock", b.name))
	}
	b.insert(obj)
	return obj.info(s.cloud.now())
}

// ownersRule is what the owner's hand encrypts under.
func (b *Bucket) ownersRule(o PutOptions) encryptionRule {
	rule := b.encryptionRule()
	if o.KeyARN != "" {
		rule.key = b.s3.keys.mustKey(o.KeyARN)
	}
	switch {
	case o.SSEC:
		return encryptionRule{customer: true}
	case o.DSSE && rule.key == nil:
		panic(fmt.Sprintf("BUG: no key for DSSE in bucket %q", b.name))
	case o.DSSE:
		rule.dual = true
	}
	return rule
}

// partsOf are the sizes of the parts of an object that seems to have been uploaded in parts of 8 MiB.
func partsOf(size int64) (parts []int64) {
	const part = 8 << 20
	for left := size; left > 0 || parts == nil; left -= part {
		parts = append(parts, min(left, part))
	}
	return parts
}

// ownersETag is an MD5 where S3 gives one and it can be had; else opaque.
func (s *s3Store) ownersETag(body Body, crypt encryption) string {
	if !crypt.opaque() {
		if sum, ok := body.md5(); ok {
			return hex.EncodeToString(sum)
		}
	}
	return s.cloud.random.hex(16)
}
