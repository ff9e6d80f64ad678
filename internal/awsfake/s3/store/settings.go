package store

import "syncd/internal/iam"

// BucketOptions are the settings of a new bucket.
type BucketOptions struct {
	KeyARN     string // default encryption with this KMS key; "" means SSE-S3
	BucketKey  bool   // the default encryption uses an S3 Bucket Key
	Versioning bool
	ObjectLock bool // versions can be locked; turns on versioning
	// RequesterPays requires requests from other accounts to send x-amz-request-payer.
	RequesterPays bool
	// PublicAccess disables Block Public Access, which AWS enables for every new bucket.
	PublicAccess bool
	Policy       *iam.Document
	// PageKeys, if above 0, limits the keys in a page of ListObjectsV2, in addition to max-keys: S3
	// can return fewer keys than max-keys ("ListObjectsV2", Amazon S3 API Reference).
	PageKeys int
}

// The versioning states. A bucket that was never versioned has the state "".
const (
	VersioningEnabled   = "Enabled"
	VersioningSuspended = "Suspended"
)

// Settings are the settings of a bucket.
type Settings struct {
	Block      *PublicAccessBlock // nil: not set
	Lifecycle  []LifecycleRule
	Tags       []Tag
	policy     *iam.Document
	Rule       EncryptionRule
	Versioning string // "", "Enabled" or "Suspended", as in GetBucketVersioning
	ObjectLock bool
	Requester  bool // whether the requester pays
	PageKeys   int  // see BucketOptions
}

// PublicAccessBlock contains the four settings of Block Public Access. Because the fake has no
// ACLs, the two ACL settings have no effect.
type PublicAccessBlock struct {
	BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
}

// LifecycleRule is a lifecycle rule as received. It is stored and returned, but has no effect.
type LifecycleRule struct {
	ID, Status string
	Text       string `xml:",innerxml"`
}

// Tag is a tag of a bucket.
type Tag struct{ Key, Value string }
