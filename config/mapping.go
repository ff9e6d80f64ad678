package config

import (
	"syncd/config/schedule"
	"syncd/config/value"
)

// Mapping is one rule: keep a copy of this source at that destination.
type Mapping struct {
	// Name identifies the mapping in logs, metrics and the ledger: a-z, 0-9 and -, at most 63
	// characters, unique. Renaming a mapping starts a new ledger.
	Name string `yaml:"name" jsonschema:"required"`
	// Source is what is copied.
	Source Source `yaml:"source" jsonschema:"required"`
	// Destination is where the copy is written.
	Destination Destination `yaml:"destination" jsonschema:"required"`
	// Schedule says when passes start: "@every 15m" or a cron expression, in UTC unless it begins
	// with CRON_TZ=ZONE; without one they start on request (`syncd trigger`, `backfill`). Times
	// that the clocks of a zone skip or show twice start one pass; an expression of every hour
	// keeps its rhythm there.
	Schedule schedule.Schedule `yaml:"schedule"`
	// Jitter delays each start by a random time of up to this, 0s..1h, none by default. Mappings
	// with "@every" need none: each has a place of its own in the interval, which its name decides.
	// Cron expressions start at their exact time without it.
	Jitter value.Duration `yaml:"jitter"`
	// Filter chooses objects of the source.
	Filter Filter `yaml:"filter"`
	// Copy says how objects are copied.
	Copy Copy `yaml:"copy"`
	// Delete says whether objects that left the source leave the destination too.
	Delete Delete `yaml:"delete"`
	// Limits caps what the mapping may use.
	Limits Limits `yaml:"limits"`
}

// Source is the side that is read.
type Source struct {
	// Bucket is the bucket's name, or that of an access point: its ARN,
	// arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME, or its alias, which ends in -s3alias.
	Bucket string `yaml:"bucket" jsonschema:"required"`
	// AccessPointARN is the ARN of the access point whose alias Bucket is: policies name it, and
	// cannot name the alias.
	AccessPointARN string `yaml:"access_point"`
	// UnderlyingBucket is the name of the bucket behind an access point, where it is known: its
	// policy and that of its key name it. It is required where the account owns a destination or
	// the state too.
	UnderlyingBucket string `yaml:"underlying_bucket"`
	// Prefix is the beginning of the keys that are read; empty means the whole bucket.
	Prefix string `yaml:"prefix"`
	// Region is the bucket's region.
	Region string `yaml:"region" jsonschema:"required"`
	// Account is the 12-digit account that owns the bucket, sent as the expected bucket owner with
	// every request. It may be left out only with an endpoint_url.
	Account string `yaml:"account"`
	// Role names the role that reads; empty means the ambient credentials.
	Role string `yaml:"role"`
	// EndpointURL is the base URL of S3 for this side, empty for aws.endpoint_url or AWS itself.
	EndpointURL string `yaml:"endpoint_url"`
	// PathStyle overrides aws.path_style for this side.
	PathStyle *bool `yaml:"path_style,omitempty"`
	// RequestPayer accepts the cost of requests to a requester-pays bucket.
	RequestPayer bool `yaml:"request_payer"`
}

// Destination is the side that is written.
type Destination struct {
	// Bucket is the bucket's name.
	Bucket string `yaml:"bucket" jsonschema:"required"`
	// Prefix replaces the source's prefix in the keys that are written; empty means the root of the
	// bucket.
	Prefix string `yaml:"prefix"`
	// Region is the bucket's region.
	Region string `yaml:"region" jsonschema:"required"`
	// Account is the 12-digit account that owns the bucket, sent as the expected bucket owner with
	// every request. It may be left out only with an endpoint_url.
	Account string `yaml:"account"`
	// Role names the role that writes; empty means the ambient credentials.
	Role string `yaml:"role"`
	// EndpointURL is the base URL of S3 for this side, empty for aws.endpoint_url or AWS itself.
	EndpointURL string `yaml:"endpoint_url"`
	// PathStyle overrides aws.path_style for this side.
	PathStyle *bool `yaml:"path_style,omitempty"`
	// KMSKey is the full ARN of the key copies are encrypted with, in the bucket's region. Aliases
	// and bare key ids are refused because KMS looks them up in the caller's account; only with an
	// endpoint_url may it have another form.
	KMSKey string `yaml:"kms_key" jsonschema:"required"`
	// BucketKey asks for an S3 Bucket Key, which cuts most requests to KMS; true by default.
	BucketKey bool `yaml:"bucket_key"`
	// StorageClass is the storage class of copies, STANDARD by default; keep gives each copy that
	// of its source. A class that an object cannot be written into becomes STANDARD.
	StorageClass string `yaml:"storage_class"`
}

// Filter chooses objects of the source; an object is copied when every part of the filter lets it
// through.
type Filter struct {
	// Include are globs on the key after the source's prefix; one must match. Empty means every
	// key.
	Include []value.Glob `yaml:"include"`
	// Exclude are globs on the key after the source's prefix; none may match. They win over
	// Include.
	Exclude []value.Glob `yaml:"exclude"`
	// MinSize is the smallest size that is copied.
	MinSize value.Size `yaml:"min_size"`
	// MaxSize is the largest size that is copied, 0 for no bound.
	MaxSize value.Size `yaml:"max_size"`
	// ModifiedAfter lets through only objects modified at or after this time.
	ModifiedAfter value.Time `yaml:"modified_after"`
	// ModifiedBefore lets through only objects modified at or before this time.
	ModifiedBefore value.Time `yaml:"modified_before"`
}

// Copy says how objects are copied.
type Copy struct {
	// Mode is how bytes move: auto (the default) copies server-side when both sides use the same
	// role, and relays otherwise; it relays from an access point to another region too.
	Mode CopyMode `yaml:"mode"`
	// Concurrency is how many objects and parts are copied at once, 1..4096; auto begins at 64 and
	// finds its level by itself.
	Concurrency value.AutoInt `yaml:"concurrency"`
	// PartSize is the size of the parts of large objects, 5MiB..5GiB (Amazon S3 multipart upload
	// limits); auto picks one by the object's size. It grows when 10,000 parts would not suffice.
	PartSize value.AutoSize `yaml:"part_size"`
	// MultipartAbove is the size above which an object is copied server-side in parts side by side,
	// 5MiB..5GiB; auto means 5GiB, above which S3 copies no object at once (Amazon S3 API
	// reference, CopyObject).
	MultipartAbove value.AutoSize `yaml:"multipart_above"`
	// Tags says which object tags are copied: copy (the default) for all, omit for none, or {only:
	// [KEY, ...]} for those of these keys. The owner of the source chooses tags, and policies,
	// lifecycle rules and cost reports on the copies may go by them. With only, a server-side copy
	// in one piece takes a GetObjectTagging more.
	Tags Tags `yaml:"tags"`
	// Metadata says whether system and user metadata are copied, copy by default.
	Metadata Carry `yaml:"metadata"`
	// Annotations says whether annotations are copied, omit by default: they need permissions of
	// their own, and each is billed like a PUT.
	Annotations Carry `yaml:"annotations"`
	// ObjectLock says whether retention, event hold and legal hold are copied, omit by default; the
	// destination's bucket needs object lock for it.
	ObjectLock Carry `yaml:"object_lock"`
	// ObjectLockMax bounds how long the retention of a copy lasts from when it is made, 1d..100y;
	// none by default. A date beyond it is brought forward, and so is the retention that an event
	// hold begins when it ends: nobody can shorten a retention in compliance mode afterwards. A
	// legal hold has no date and is copied as it is. It needs object_lock: copy.
	ObjectLockMax value.Period `yaml:"object_lock_max"`
	// ACL is what copies are written with: omit (the default) sends none; bucket-owner-full-control
	// is for a destination whose bucket policy refuses writes without it. It takes s3:PutObjectAcl.
	ACL ACL `yaml:"acl"`
	// Overwrite says what of the destination may be replaced: owned (the default) is what syncd
	// wrote or adopted, and sets aside as foreign what else is there; any is everything.
	Overwrite Overwrite `yaml:"overwrite"`
	// Checksum says whether a copy's full-object checksum is compared with the source's, verify by
	// default.
	Checksum Checksum `yaml:"checksum"`
}

// Delete says whether objects that left the source leave the destination too. Only objects the
// ledger says syncd wrote are ever deleted, and a pass that would exceed a bound deletes nothing.
type Delete struct {
	// Enabled turns deletes on; they are off by default.
	Enabled bool `yaml:"enabled"`
	// MaxObjects is the most objects one pass may delete, 1000 by default.
	MaxObjects int64 `yaml:"max_objects"`
	// MaxPercent is the largest share of the ledger's objects one pass may delete, 0..100, 1 by
	// default.
	MaxPercent float64 `yaml:"max_percent"`
}

// Limits caps what a mapping may use; 0 means no cap.
type Limits struct {
	// RequestsPerSecond caps requests to S3, both sides together.
	RequestsPerSecond int64 `yaml:"requests_per_second"`
	// KMSRequestsPerSecond caps the requests S3 makes to KMS for the mapping, as syncd counts them.
	KMSRequestsPerSecond int64 `yaml:"kms_requests_per_second"`
	// BytesPerSecond caps the bytes that are copied.
	BytesPerSecond value.Size `yaml:"bytes_per_second"`
	// CostUSD caps what one pass may cost by syncd's own estimate, in US dollars.
	CostUSD float64 `yaml:"cost_usd"`
}
