package store

import (
	"maps"
	"time"

	"syncd/internal/awsfake/s3/content"
)

// Storage classes that the fake treats apart.
const (
	ClassStandard           = "STANDARD"
	ClassGlacier            = "GLACIER"
	ClassDeepArchive        = "DEEP_ARCHIVE"
	ClassIntelligentTiering = "INTELLIGENT_TIERING"
)

// nullVersion is the version id of everything written while versioning is off.
const nullVersion = "null"

// Object is one version of a key, or a delete marker. It is never changed once it is in a bucket: a
// change of its tags puts another one in its place.
type Object struct {
	Key, VersionID, ETag string
	Marker               bool
	Modified             time.Time
	Content              content.Content
	Size                 int64
	Crypt                Encryption
	Headers              map[string]string // "Content-Type" and its kin, by canonical name
	Metadata             map[string]string // user metadata, keys in lower case without x-amz-meta-
	Tags                 map[string]string
	Annotations          map[string]string
	StorageClass         string
	ArchiveTier          bool      // of INTELLIGENT_TIERING: the object has sunk to its archive tier
	RestoredUntil        time.Time // of an archived object: how long its temporary copy can be read
	Redirect             string    // x-amz-website-redirect-location
	Lock                 Lock
	Owner                string // the account that wrote it, "" for the bucket's
	Checksum             content.Checksum
	CRC                  uint64  // CRC64NVME of the whole, whatever checksum is stored
	Parts                []int64 // sizes, of an object from a multipart upload
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

func (o *Object) info(now time.Time) ObjectInfo {
	info := ObjectInfo{
		Key: o.Key, ETag: o.ETag, VersionID: o.VersionID, Size: o.Size, LastModified: o.Modified,
		BucketKey: o.Crypt.BucketKey, Metadata: maps.Clone(o.Metadata), Tags: maps.Clone(o.Tags), Annotations: maps.Clone(o.Annotations),
		ContentType: o.Headers["Content-Type"], StorageClass: o.StorageClass, Headers: maps.Clone(o.Headers),
		Checksum: content.EncodeCRC64(o.CRC), Encryption: o.Crypt.Algorithm(), WebsiteRedirect: o.Redirect, Lock: o.Lock, Archived: o.Archived(now),
	}
	if o.Crypt.Customer {
		info.Encryption = "SSE-C"
	}
	if o.Crypt.Key != nil {
		info.KeyARN = o.Crypt.Key.ARN()
	}
	return info
}

// InArchive reports whether the bytes lie where only a restored copy of them can be read.
// GLACIER_IR, whose name deceives, is read at once ("Understanding S3 Glacier storage classes",
// Amazon S3 User Guide).
func (o *Object) InArchive() bool {
	return o.StorageClass == ClassGlacier || o.StorageClass == ClassDeepArchive || o.StorageClass == ClassIntelligentTiering && o.ArchiveTier
}

// Archived reports whether the bytes must be restored before they can be read.
func (o *Object) Archived(now time.Time) bool { return o.InArchive() && !now.Before(o.RestoredUntil) }
