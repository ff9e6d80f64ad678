package awsfake

import (
	"cmp"
	"crypto/cipher"
	"crypto/md5" // S3's ETag of an SSE-S3 object is the MD5 of its bytes
	"encoding/hex"
	"fmt"
	"maps"
	"time"
)

// Storage classes that the fake treats apart.
const (
	classStandard           = "STANDARD"
	classGlacier            = "GLACIER"
	classDeepArchive        = "DEEP_ARCHIVE"
	classIntelligentTiering = "INTELLIGENT_TIERING"
)

// nullVersion is the version id of everything written while versioning is off.
const nullVersion = "null"

// object is one version of a key, or a delete marker. It is never changed once it is in a bucket: a
// change of its tags puts another one in its place.
type object struct {
	key, versionID, etag string
	marker               bool
	modified             time.Time
	content              content
	size                 int64
	crypt                encryption
	headers              map[string]string // "Content-Type" and its kin, by canonical name
	metadata             map[string]string // user metadata, keys in lower case without x-amz-meta-
	tags                 map[string]string
	annotations          map[string]string
	storageClass         string
	archiveTier          bool      // of INTELLIGENT_TIERING: the object has sunk to its archive tier
	restoredUntil        time.Time // of an archived object: how long its temporary copy can be read
	redirect             string    // x-amz-website-redirect-location
	lock                 Lock
	owner                string // the account that wrote it, "" for the bucket's
	checksum             checksum
	crc                  uint64  // CRC64NVME of the whole, whatever checksum is stored
	parts                []int64 // sizes, of an object from a multipart upload
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

// encryption says under what an object, or an upload, lies.
type encryption struct {
	key       *Key // nil: SSE-S3, a key that S3 owns
	bucketKey bool
	dual      bool   // aws:kms:dsse
	customer  bool   // SSE-C, with a key that the fake was never told
	wrapped   []byte // the data key
	context   string // the encryption context's aws:s3:arn
}

func (e encryption) algorithm() string {
	switch {
	case e.key == nil:
		return "AES256"
	case e.dual:
		return "aws:kms:dsse"
	}
	return "aws:kms"
}

// opaque reports whether the ETag of what lies so is not an MD5 ("Checking object integrity").
func (e encryption) opaque() bool { return e.key != nil || e.customer }

// ObjectInfo is what the owner's hand sees of an object.
type ObjectInfo struct {
	Key, ETag, VersionID      string // the ETag without quotes; VersionID "null" in a bucket without versioning
	Size                      int64
	LastModified              time.Time
	KeyARN                    string // "" under SSE-S3
	BucketKey                 bool
	Metadata, Tags            map[string]string
	Annotations               map[string]string
	ContentType, StorageClass string
	Headers                   map[string]string // Content-Type, Cache-Control and the other system metadata
	Checksum                  string            // CRC64NVME of the whole object in base64, whichever one S3 stores
	Encryption                string            // "AES256", "aws:kms", "aws:kms:dsse", or "SSE-C"
	WebsiteRedirect           string
	Lock                      Lock
	Archived                  bool // a GET needs [Bucket.Restore] first
}

func (o *object) info(now time.Time) ObjectInfo {
	info := ObjectInfo{
		Key: o.key, ETag: o.etag, VersionID: o.versionID, Size: o.size, LastModified: o.modified,
		BucketKey: o.crypt.bucketKey, Metadata: maps.Clone(o.metadata), Tags: maps.Clone(o.tags), Annotations: maps.Clone(o.annotations),
		ContentType: o.headers["Content-Type"], StorageClass: o.storageClass, Headers: maps.Clone(o.headers),
		Checksum: encodeCRC64(o.crc), Encryption: o.crypt.algorithm(), WebsiteRedirect: o.redirect, Lock: o.lock, Archived: o.archived(now),
	}
	if o.crypt.customer {
		info.Encryption = "SSE-C"
	}
	if o.crypt.key != nil {
		info.KeyARN = o.crypt.key.arn
	}
	return info
}

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
	c := b.cloud
	crypt, aead := c.wrapNewKey(b.ownersRule(o), b.name, key)
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
		obj.modified = c.now().Truncate(time.Second)
	}
	obj.content = b.contentOf(body, aead)
	obj.size, obj.crc = body.size, obj.content.checksum(c.crc)
	if !o.NoChecksum {
		obj.checksum = checksum{algorithm: algorithmCRC64NVME, value: encodeCRC64(obj.crc)}
	}
	obj.etag = c.ownersETag(body, crypt)
	if o.Multipart {
		obj.parts = partsOf(body.size)
		obj.etag = fmt.Sprintf("%s-%d", c.random.hex(16), len(obj.parts))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if o.Lock != (Lock{}) && !b.objectLock {
		panic(fmt.Sprintf("BUG: bucket %q has no object lock", b.name))
	}
	b.insert(obj)
	return obj.info(c.now())
}

// ownersRule is what the owner's hand encrypts under.
func (b *Bucket) ownersRule(o PutOptions) encryptionRule {
	rule := b.encryptionRule()
	if o.KeyARN != "" {
		rule.key = b.cloud.mustKey(o.KeyARN)
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

func (b *Bucket) contentOf(body Body, key cipher.AEAD) content {
	c := b.cloud
	if body.pattern == nil {
		s := &sealer{key: key, crc: c.crc, random: c.random}
		e, err := s.seal(body.Reader(), body.size)
		if err != nil {
			panic(fmt.Sprintf("BUG: seal %d bytes in memory: %v", body.size, err))
		}
		return content{e}
	}
	p := c.remember(body.pattern)
	return content{{size: body.size, pattern: p, crc: p.checksum(c.crc, 0, body.size)}}
}

// ownersETag is an MD5 where S3 gives one and it can be had; else opaque.
func (c *Cloud) ownersETag(body Body, crypt encryption) string {
	if crypt.opaque() || body.pattern != nil {
		return c.random.hex(16)
	}
	sum := md5.Sum(body.data)
	return hex.EncodeToString(sum[:])
}

// Delete deletes a key by the owner's hand; with versioning on it leaves a delete marker.
func (b *Bucket) Delete(key string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.discard(key)
}

// Object returns the current version of a key; false when there is none or it is deleted.
func (b *Bucket) Object(key string) (ObjectInfo, bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	o := b.index.get(key).current()
	if o == nil {
		return ObjectInfo{}, false
	}
	return o.info(b.cloud.now()), true
}

// Keys returns the keys that a listing would show, in byte order.
func (b *Bucket) Keys() []string {
	b.mu.RLock()
	defer b.mu.RUnlock()
	keys := []string{}
	for e := range b.index.from("") {
		if e.current() != nil {
			keys = append(keys, e.key)
		}
	}
	return keys
}
