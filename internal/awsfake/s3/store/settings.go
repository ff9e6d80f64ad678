package store

import "syncd/internal/iam"

// BucketOptions are the settings of a bucket besides its name and region.
type BucketOptions struct {
	KeyARN     string // default encryption with this KMS key; "" is SSE-S3
	BucketKey  bool   // the default encryption uses an S3 Bucket Key
	Versioning bool
	ObjectLock bool // versions can be locked; brings versioning along
	// RequesterPays makes requests of other accounts declare x-amz-request-payer.
	RequesterPays bool
	// PublicAccess turns Block Public Access off, which AWS has on for every new bucket.
	PublicAccess bool
	Policy       *iam.Document
}

// The states of versioning, besides the one in which it never was on.
const (
	VersioningEnabled   = "Enabled"
	VersioningSuspended = "Suspended"
)

// Settings are those of a bucket.
type Settings struct {
	Block      *PublicAccessBlock // nil: there is none
	Lifecycle  []LifecycleRule
	Tags       []Tag
	policy     *iam.Document
	Rule       EncryptionRule
	Versioning string // "", "Enabled" or "Suspended", as GetBucketVersioning says it
	ObjectLock bool
	Requester  bool // pays
}

// PublicAccessBlock are the four settings of Block Public Access. Without ACLs the two that are
// about them change nothing.
type PublicAccessBlock struct {
	BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
}

// LifecycleRule is a rule as it came. It is kept and answered, and nothing acts on it.
type LifecycleRule struct {
	ID, Status string
	Text       string `xml:",innerxml"`
}

// Tag is a tag of a bucket.
type Tag struct{ Key, Value string }
