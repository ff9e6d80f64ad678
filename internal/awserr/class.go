package awserr

// Class is the kind of an error.
type Class string

// The classes. They are metric label values and quarantine reasons, so their texts are part of the
// public surface.
const (
	// Throttled means that S3, STS or KMS asked for fewer requests.
	Throttled Class = "throttled"
	// ThrottledKMS means that KMS asked for fewer requests, as reported by S3. Only requests that
	// use KMS need to slow down.
	ThrottledKMS Class = "throttled_kms"
	// Denied is a request that a policy did not allow.
	Denied Class = "denied"
	// Credentials means that there are no usable credentials, or no endpoint that they may be sent
	// to. No request was sent, and no request can be sent.
	Credentials Class = "credentials"
	// Expired is a session token that the service no longer accepts.
	Expired Class = "expired"
	// NoBucket is a bucket that does not exist.
	NoBucket Class = "no_bucket"
	// WrongRegion is a bucket in another region than the one the request was sent to.
	WrongRegion Class = "wrong_region"
	// Gone is an object, version or upload that does not exist.
	Gone Class = "gone"
	// Precondition is a failed If-Match or If-None-Match: the object changed in the meantime.
	Precondition Class = "changed"
	// Conflict is a conditional write that collided with another write of the same key; trying
	// again may succeed.
	Conflict Class = "conflict"
	// Archived is an object in an archive storage class that has not been restored.
	Archived Class = "archived"
	// KeyDisabled is a KMS key that is disabled, pending deletion or otherwise unusable.
	KeyDisabled Class = "key_disabled"
	// NoKey is a KMS key that does not exist in the region of the request.
	NoKey Class = "no_key"
	// TooLarge is an object or entity larger than the operation allows.
	TooLarge Class = "too_large"
	// Invalid is a request that the service will never accept in this form.
	Invalid Class = "invalid"
	// Unsupported is an operation or header that the service does not implement.
	Unsupported Class = "unsupported"
	// Transient is a fault of the service or the network; the same request may succeed later.
	Transient Class = "transient"
	// Canceled means that the caller's context ended.
	Canceled Class = "canceled"
	// Unknown is everything else.
	Unknown Class = "unknown"
)

// Passes reports whether errors of the class are temporary, so that the same request may succeed
// later.
func (c Class) Passes() bool { return c == Transient || c == Throttled || c == ThrottledKMS }
