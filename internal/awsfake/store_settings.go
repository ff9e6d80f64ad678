package awsfake

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

const (
	versioningEnabled   = "Enabled"
	versioningSuspended = "Suspended"
)

// settings are those of a bucket.
type settings struct {
	block      *publicAccessBlock // nil: there is none
	lifecycle  []lifecycleRule
	tags       []bucketTag
	policy     *iam.Document
	rule       encryptionRule
	versioning string // "", "Enabled" or "Suspended", as GetBucketVersioning says it
	objectLock bool
	requester  bool // pays
}

// publicAccessBlock are the four settings of Block Public Access. Without ACLs the two that are about them change nothing.
type publicAccessBlock struct {
	BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets bool
}

// lifecycleRule is a rule as it came. It is kept and answered, and nothing acts on it.
type lifecycleRule struct {
	ID, Status string
	Text       string `xml:",innerxml"`
}

// bucketTag is a tag of a bucket.
type bucketTag struct{ Key, Value string }
