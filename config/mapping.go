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
	// with CRON_TZ=ZONE. Without a schedule, passes start on request (`syncd trigger`, `backfill`).
	// A time that daylight saving skips or repeats starts one pass. An expression that matches
	// every hour is different: it starts no pass at a skipped time, and two at a repeated time.
	Schedule schedule.Schedule `yaml:"schedule"`
	// Jitter delays each start by a random time up to this value, 0s..1h, none by default. Mappings
	// with "@every" do not need it: each starts at its own point in the interval, derived from its
	// name. Without jitter, cron expressions start at their exact time.
	Jitter value.Duration `yaml:"jitter"`
	// Filter selects objects of the source.
	Filter Filter `yaml:"filter"`
	// Copy says how objects are copied.
	Copy Copy `yaml:"copy"`
	// Delete says whether objects that were deleted from the source are deleted from the
	// destination too.
	Delete Delete `yaml:"delete"`
	// Verify says when the destination is compared with the ledger and the source.
	Verify Verify `yaml:"verify"`
	// Limits caps the requests, the bytes and the cost of the mapping.
	Limits Limits `yaml:"limits"`
}

// Source is the side that is read.
type Source struct {
	// Bucket is the bucket's name, or an access point: its ARN,
	// arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME, or its alias, which ends in -s3alias.
	Bucket string `yaml:"bucket" jsonschema:"required"`
	// AccessPointARN is the ARN of the access point if Bucket is its alias. Policies cannot name an
	// access point by its alias.
	AccessPointARN string `yaml:"access_point"`
	// UnderlyingBucket is the name of the bucket behind the access point, if you know it: the
	// bucket policy and the key policy contain this name. It is required if the source's account
	// also owns a destination or the state.
	UnderlyingBucket string `yaml:"underlying_bucket"`
	// Prefix limits the source to keys that begin with it; empty means the whole bucket.
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
	// KMSKey is the full ARN of the key that encrypts copies, in the bucket's region. Aliases and
	// bare key ids are rejected because KMS resolves them in the caller's account. Other forms are
	// allowed only with an endpoint_url.
	KMSKey string `yaml:"kms_key" jsonschema:"required"`
	// BucketKey enables an S3 Bucket Key, which avoids most requests to KMS; true by default.
	BucketKey bool `yaml:"bucket_key"`
	// StorageClass is the storage class of copies, STANDARD by default; keep gives each copy the
	// class of its source. If objects cannot be written directly to that class, the copy gets
	// STANDARD.
	StorageClass string `yaml:"storage_class"`
}

// Filter selects objects of the source; an object is copied if it passes every part of the filter.
type Filter struct {
	// Include are globs for the part of the key after the source's prefix; the key must match one
	// of them. Empty means every key.
	Include []value.Glob `yaml:"include"`
	// Exclude are globs for the part of the key after the source's prefix. An object is skipped if
	// one of them matches, even if Include matches it too.
	Exclude []value.Glob `yaml:"exclude"`
	// MinSize is the size of the smallest object that is copied.
	MinSize value.Size `yaml:"min_size"`
	// MaxSize is the size of the largest object that is copied, 0 for no limit.
	MaxSize value.Size `yaml:"max_size"`
	// ModifiedAfter selects only objects modified at or after this time.
	ModifiedAfter value.Time `yaml:"modified_after"`
	// ModifiedBefore selects only objects modified at or before this time.
	ModifiedBefore value.Time `yaml:"modified_before"`
}

// Copy says how objects are copied.
type Copy struct {
	// Mode is how bytes move: auto (the default) copies server-side when both sides use the same
	// role, and relays otherwise. auto also relays between two services, and from an access point
	// to another region.
	Mode CopyMode `yaml:"mode"`
	// Concurrency is how many objects and parts are copied at once, 1..4096; auto starts at 64 and
	// adapts.
	Concurrency value.AutoInt `yaml:"concurrency"`
	// PartSize is the size of the parts of large objects, 5MiB..5GiB (Amazon S3 multipart upload
	// limits); auto chooses a size for each object. The part size grows if the object needs more
	// than 10,000 parts.
	PartSize value.AutoSize `yaml:"part_size"`
	// MultipartAbove is the size above which an object is copied server-side in parallel parts,
	// 5MiB..5GiB; auto means 5GiB, the largest object that CopyObject can copy (Amazon S3 API
	// reference, CopyObject).
	MultipartAbove value.AutoSize `yaml:"multipart_above"`
	// Tags says which object tags are copied: copy (the default) for all, omit for none, or {only:
	// [KEY, ...]} for the tags with these keys. The source's owner chooses the tags, and policies,
	// lifecycle rules and cost reports on the copies may depend on them. With only, each
	// server-side CopyObject needs one more request, GetObjectTagging.
	Tags Tags `yaml:"tags"`
	// Metadata says whether system and user metadata are copied, copy by default.
	Metadata Carry `yaml:"metadata"`
	// Annotations says whether annotations are copied, omit by default: they need extra
	// permissions, and each is billed like a PUT.
	Annotations Carry `yaml:"annotations"`
	// ObjectLock says whether retention, event hold and legal hold are copied, omit by default.
	// Copying them requires object lock on the destination bucket.
	ObjectLock Carry `yaml:"object_lock"`
	// ObjectLockMax limits the retention of a copy, counted from when the copy is made, 1d..100y;
	// none by default. A later retention date is replaced by the latest date allowed. The retention
	// that starts when an event hold ends is limited in the same way. Retention in compliance mode
	// cannot be shortened after the copy. A legal hold has no date and is copied unchanged. This
	// setting requires object_lock: copy.
	ObjectLockMax value.Period `yaml:"object_lock_max"`
	// ACL is the ACL that copies are written with: omit (the default) sends none;
	// bucket-owner-full-control is for a destination whose bucket policy denies writes without it,
	// and requires s3:PutObjectAcl.
	ACL ACL `yaml:"acl"`
	// Overwrite says which destination objects may be replaced: owned (the default) replaces only
	// what syncd wrote or adopted, and quarantines other objects as foreign; any replaces
	// everything.
	Overwrite Overwrite `yaml:"overwrite"`
	// Checksum says whether a copy's full-object checksum is compared with the source's, verify by
	// default.
	Checksum Checksum `yaml:"checksum"`
}

// Delete says whether objects that were deleted from the source are deleted from the destination
// too. Only objects that syncd wrote according to the ledger are deleted, and a pass that would
// exceed a limit deletes nothing.
type Delete struct {
	// Enabled turns deletes on; they are off by default.
	Enabled bool `yaml:"enabled"`
	// AfterPasses is how many passes in a row must have listed the whole source without an object
	// before its copy is deleted, at least 1, 2 by default.
	AfterPasses int64 `yaml:"after_passes"`
	// MaxObjects is the maximum number of objects that one pass may delete, 1000 by default.
	MaxObjects int64 `yaml:"max_objects"`
	// MaxPercent is the maximum share of the ledger's objects that one pass may delete, in percent,
	// 0..100, 1 by default.
	MaxPercent float64 `yaml:"max_percent"`
}

// Verify says when the destination of a mapping is compared with the ledger and the source, and how
// thoroughly. A verification reports differences and changes nothing.
type Verify struct {
	// Schedule says when a verification is due, in the form of the mapping's schedule. The daemon runs
	// it after the next pass. Without a schedule, only `syncd verify` compares.
	Schedule schedule.Schedule `yaml:"schedule"`
	// Sample is the share of the copies that are inspected with requests of their own, in percent,
	// 0..100, 0 by default: a verification then only lists both sides. If Sample is above 0 and tags are
	// copied, the role of the destination needs s3:GetObjectTagging.
	Sample float64 `yaml:"sample"`
}

// Limits caps the requests, the bytes and the cost of a mapping; 0 means no cap.
type Limits struct {
	// RequestsPerSecond caps requests to S3, both sides together.
	RequestsPerSecond int64 `yaml:"requests_per_second"`
	// KMSRequestsPerSecond caps the requests that S3 sends to KMS for the mapping, as counted by
	// syncd.
	KMSRequestsPerSecond int64 `yaml:"kms_requests_per_second"`
	// BytesPerSecond caps the bytes copied.
	BytesPerSecond value.Size `yaml:"bytes_per_second"`
	// CostUSD caps the cost of one pass as estimated by syncd, in US dollars.
	CostUSD float64 `yaml:"cost_usd"`
}
