package awsfake

import (

	// S3's ETag of an SSE-S3 object is the MD5 of its bytes

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
		info.KeyARN = o.crypt.key.ARN()
	}
	return info
}

// inArchive reports whether the bytes lie where only a restored copy of them can be read. GLACIER_IR,
// whose name deceives, is read at once ("Understanding S3 Glacier storage classes", Amazon S3 User Guide).
func (o *object) inArchive() bool {
	return o.storageClass == classGlacier || o.storageClass == classDeepArchive || o.storageClass == classIntelligentTiering && o.archiveTier
}

// archived reports whether the bytes must be restored before they can be read.
func (o *object) archived(now time.Time) bool { return o.inArchive() && !now.Before(o.restoredUntil) }
