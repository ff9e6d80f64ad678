package awserr

// Class is the kind of an error.
type Class string

// The classes. They are label values of metrics and reasons of quarantine, so their texts are part
// of the public surface.
const (
	// Throttled is S3, STS or KMS asking to slow down.
	Throttled Class = "throttled"
	// ThrottledKMS is S3 passing on that KMS asked to slow down; slowing S3 requests without KMS
	// would not help.
	ThrottledKMS Class = "throttled_kms"
	// Denied is a request that some policy did not allow.
	Denied Class = "denied"
	// Credentials is the lack of usable credentials, or of an endpoint that they may be shown:
	// nothing was sent, and nothing else can be.
	Credentials Class = "credentials"
	// Expired is a session token that the service no longer takes.
	Expired Class = "expired"
	// NoBucket is a bucket that does not exist.
	NoBucket Class = "no_bucket"
	// WrongRegion is a bucket in another region than the one that was asked.
	WrongRegion Class = "wrong_region"
	// Gone is an object, version or upload that does not exist.
	Gone Class = "gone"
	// Precondition is an If-Match or If-None-Match that did not hold: the object changed in
	// between.
	Precondition Class = "changed"
	// Conflict is a conditional write that raced another; doing it again from the start may
	// succeed.
	Conflict Class = "conflict"
	// Archived is an object in an archive storage class that has not been restored.
	Archived Class = "archived"
	// KeyDisabled is a KMS key that is disabled, pending deletion or otherwise unusable.
	KeyDisabled Class = "key_disabled"
	// NoKey is a KMS key that does not exist in the region of the request.
	NoKey Class = "no_key"
	// TooLarge is an object or entity above what the operation takes.
	TooLarge Class = "too_large"
	// Invalid is a request that the service will never accept as it is.
	Invalid Class = "invalid"
	// Unsupported is an operation or header that the service does not implement.
	Unsupported Class = "unsupported"
	// Transient is a fault of the service or the network; the same request may succeed later.
	Transient Class = "transient"
	// Canceled is our own context that ended.
	Canceled Class = "canceled"
	// Unknown is everything else.
	Unknown Class = "unknown"
)

// Passes reports whether errors of the class pass by themselves, so that the same request may fare
// better a moment later.
func (c Class) Passes() bool { return c == Transient || c == Throttled || c == ThrottledKMS }
