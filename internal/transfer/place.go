// Package transfer defines how an object is copied: between which places, by which method, with
// which part size, and with which tags, metadata and other properties. The copier, the cost
// estimate of the plan, the derived permissions and the configuration checks all use this package,
// so that they cannot disagree.
//
// Results depend only on arguments: the package sends no requests and has no clock and no state.
// Only this package defines S3's limits, with their sources, and the sizes that syncd chooses
// within these limits. The name of a place's service is the same for all spellings of its endpoint.
//
// Package plan decides which objects are copied, and package copier copies them. Package config
// creates the settings.
//
// Three terms: a place is one side of a mapping, or where the state is stored; a version is one
// state of an object; a part is the content of one request of a multipart upload.
package transfer

import (
	"strings"

	"syncd/internal/arn"
	"syncd/internal/awsname"
	"syncd/internal/endpoint"
)

// Place is a prefix of a bucket and the role that accesses it: the source or destination of a
// mapping, or the location of the state. Its service is AWS unless it is set with [Place.At].
type Place struct {
	// Bucket is the bucket in requests: a bucket name, or the ARN or alias of an access point.
	Bucket string
	// Prefix is the prefix of the keys; it may be empty.
	Prefix string
	// AccessPoint is the ARN of the access point if Bucket refers to one, otherwise "".
	AccessPoint string
	// Underlying is the bucket of the access point. It is "" if the bucket is not known, or if
	// Bucket is a bucket name.
	Underlying string
	// Account is the account that owns the bucket. Every request sends it as the expected bucket
	// owner; "" sends none.
	Account string
	// Region is the region of the bucket.
	Region string
	// Role is the name of the role that sends the requests, "" for the ambient credentials.
	Role string
	// RequestPayer means that the requester pays for requests, as requester-pays buckets require.
	RequestPayer bool

	service string // name from endpoint.Service
}

// At returns a copy of the place with the service of an endpoint URL, in any spelling; "" means
// AWS.
func (p Place) At(endpointURL string) Place {
	p.service = endpoint.Service(endpointURL)
	return p
}

// Service returns the name of the place's service as in [endpoint.Service], "" for AWS.
func (p Place) Service() string { return p.service }

// String returns the place as a URL for messages.
func (p Place) String() string { return "s3://" + p.Bucket + "/" + p.Prefix }

// Identity returns a name of the bucket that is unique within its service: the ARN of the access
// point if the place has one, otherwise the bucket name.
func (p Place) Identity() string {
	if p.AccessPoint != "" {
		return p.AccessPoint
	}
	return p.Bucket
}

// Holder returns the name of the bucket that contains the objects, or "" if the place is an access
// point whose bucket is not known.
func (p Place) Holder() string {
	if p.AccessPoint != "" {
		return p.Underlying
	}
	return p.Bucket
}

// ExpectedOwner returns the account that requests send as the expected bucket owner, or nil to send
// none.
func (p Place) ExpectedOwner() *string {
	if p.Account == "" {
		return nil
	}
	account := p.Account // a copy, because &p.Account would move all of p to the heap
	return &account
}

// Payer returns the request payer to send, or "" if the bucket owner pays.
func (p Place) Payer() string {
	if p.RequestPayer {
		return "requester"
	}
	return ""
}

// ARN returns the ARN of the bucket or the access point, as policies use it.
func (p Place) ARN() string {
	if p.AccessPoint != "" {
		return p.AccessPoint
	}
	return BucketARN(p.Region, p.Bucket)
}

// BucketARN returns the ARN of a bucket. The region determines the partition, but is not part of
// the ARN.
func BucketARN(region, bucket string) string {
	return arn.Bucket(awsname.Partition(region), bucket)
}

// SameService reports whether both places are at the same service.
func (p Place) SameService(o Place) bool { return p.service == o.service }

// SameBucket reports whether both places use the same bucket or the same access point.
func (p Place) SameBucket(o Place) bool { return p.SameService(o) && p.Identity() == o.Identity() }

// Same reports whether both places have the same bucket and prefix.
func (p Place) Same(o Place) bool { return p.SameBucket(o) && p.Prefix == o.Prefix }

// Overlaps reports whether an object can be in both places.
func (p Place) Overlaps(o Place) bool {
	return p.SameBucket(o) && (p.Contains(o.Prefix) || o.Contains(p.Prefix))
}

// Contains reports whether a key of the bucket is in the place.
func (p Place) Contains(key string) bool { return strings.HasPrefix(key, p.Prefix) }

// MaxKeyBytes is the maximum length of a key in bytes of UTF-8 (Amazon S3 User Guide, "Naming
// Amazon S3 objects"); the minimum is one.
const MaxKeyBytes = 1024

// MaxDeleteKeys is the maximum number of keys that one request deletes (Amazon S3 API Reference,
// DeleteObjects).
const MaxDeleteKeys = 1000

// KeyTo returns the destination key for a source key of this place. If one source key is less than
// another, so is its destination key. The caller must check the length of the result: S3 accepts 1
// to [MaxKeyBytes] bytes.
func (p Place) KeyTo(destination Place, key string) string {
	return destination.Prefix + strings.TrimPrefix(key, p.Prefix)
}

// KeyFrom is the inverse of [Place.KeyTo], called on the destination: it returns the source key for
// a destination key. Ok is false if the key is not in this place: its object is then not a copy.
func (p Place) KeyFrom(source Place, key string) (sourceKey string, ok bool) {
	inside, ok := strings.CutPrefix(key, p.Prefix)
	if !ok {
		return "", false
	}
	return source.Prefix + inside, true
}
