package store

import (
	"maps"
	"time"

	"syncd/internal/awsfake/s3/content"
)

// Storage classes that the fake handles specially.
const (
	ClassStandard           = "STANDARD"
	ClassGlacier            = "GLACIER"
	ClassDeepArchive        = "DEEP_ARCHIVE"
	ClassIntelligentTiering = "INTELLIGENT_TIERING"
)

// nullVersion is the version ID of everything written while versioning is off.
const nullVersion = "null"

// Object is one version of a key, or a delete marker. It never changes after it is stored in a
// bucket; changing its tags replaces it.
type Object struct {
	Key, VersionID, ETag string
	Marker               bool
	Modified             time.Time
	Content              content.Content
	Size                 int64
	Crypt                Encryption
	Headers              map[string]string // "Content-Type" and other system metadata, by canonical name
	Metadata             map[string]string // user metadata, with lower-case keys without x-amz-meta-
	Tags                 map[string]string
	Annotations          map[string]string
	StorageClass         string
	ArchiveTier          bool      // INTELLIGENT_TIERING: the object is in the archive tier
	RestoredUntil        time.Time // archived object: when its temporary copy expires
	Redirect             string    // x-amz-website-redirect-location
	Lock                 Lock
	Owner                string // the account that wrote it; "" for the bucket's account
	Checksum             content.Checksum
	CRC                  uint64  // CRC64NVME of the whole object, whichever checksum is stored
	Parts                []int64 // sizes of the parts, if uploaded in parts
}

// ObjectInfo describes an object to the Go API.
type ObjectInfo struct {
	Key, ETag, VersionID      string // the ETag without quotes; VersionID is "null" if the bucket is not versioned
	Size                      int64
	LastModified              time.Time
	KeyARN                    string // "" with SSE-S3
	BucketKey                 bool
	Metadata, Tags            map[string]string
	Annotations               map[string]string
	ContentType, StorageClass string
	Headers                   map[string]string // Content-Type, Cache-Control and the other system metadata
	Checksum                  string            // CRC64NVME of the whole object in base64, whichever checksum S3 stores
	Encryption                string            // "AES256", "aws:kms", "aws:kms:dsse", or "SSE-C"
	WebsiteRedirect           string
	Lock                      Lock
	Archived                  bool // must be restored with [Bucket.Restore] before a GET
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

// InArchive reports whether the bytes are in an archive, where only a restored copy can be read.
// Despite its name, GLACIER_IR can be read immediately ("Understanding S3 Glacier storage classes",
// Amazon S3 User Guide).
func (o *Object) InArchive() bool {
	return o.StorageClass == ClassGlacier || o.StorageClass == ClassDeepArchive || o.StorageClass == ClassIntelligentTiering && o.ArchiveTier
}

// Archived reports whether the bytes must be restored before they can be read.
func (o *Object) Archived(now time.Time) bool { return o.InArchive() && !now.Before(o.RestoredUntil) }
