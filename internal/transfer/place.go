// Package transfer says how an object moves: from which place to which, by whose hands, in pieces
// of which size, and what travels along with it. The copier sends by it, the plan quotes by it,
// permissions are derived from it and configurations are checked by it, so that the four cannot
// disagree.
//
// It promises answers that depend on its arguments alone: no request, no clock, no state. S3's
// limits and the sizes chosen within them are here and nowhere else, each with its source. A place
// is at a service whose name is the same for all spellings of its endpoint.
//
// It leaves to others which objects move (plan), the moving (copier), and where a setting was
// written (config).
//
// Three words: a place is one side of a mapping, or where its state is kept; a version is one state
// of an object there; a part is what one request of a multipart upload moves.
package transfer

import (
	"strings"

	"syncd/internal/arn"
	"syncd/internal/awsname"
	"syncd/internal/endpoint"
)

// Place is a prefix of a bucket, as one role uses it: the side of a mapping where objects come from
// or where copies go, or where the state is kept. Its service is AWS itself unless [Place.At] says
// otherwise.
type Place struct {
	// Bucket is the bucket as requests name it: its name, or the ARN or the alias of an access
	// point.
	Bucket string
	// Prefix is what the keys begin with; it may be empty.
	Prefix string
	// AccessPoint is the ARN of the access point that Bucket stands for, "" where it is a bucket.
	AccessPoint string
	// Underlying is the bucket behind the access point, "" where it is not known, or where Bucket
	// is a bucket.
	Underlying string
	// Account owns the bucket and is sent as the expected owner with every request; "" sends none.
	Account string
	// Region is the region of the bucket.
	Region string
	// Role names the role that sends the requests, "" for the ambient credentials.
	Role string
	// RequestPayer says that the side that sends a request pays for it, as requester-pays buckets
	// ask.
	RequestPayer bool

	service string // as endpoint.Service names it
}

// At returns the place at the service of an endpoint URL, however that is spelled; "" is AWS
// itself.
func (p Place) At(endpointURL string) Place {
	p.service = endpoint.Service(endpointURL)
	return p
}

// Service names the service of the place as [endpoint.Service] does, "" for AWS itself.
func (p Place) Service() string { return p.service }

// String names the place for messages.
func (p Place) String() string { return "s3://" + p.Bucket + "/" + p.Prefix }

// Identity tells the bucket from others of its service: the ARN of its access point, however that
// is addressed, else its name.
func (p Place) Identity() string {
	if p.AccessPoint != "" {
		return p.AccessPoint
	}
	return p.Bucket
}

// Holder is the bucket that holds the objects, "" where it is behind an access point and not known.
func (p Place) Holder() string {
	if p.AccessPoint != "" {
		return p.Underlying
	}
	return p.Bucket
}

// ExpectedOwner is the account that requests name as the expected owner of the bucket, nil for
// those that name none.
func (p Place) ExpectedOwner() *string {
	if p.Account == "" {
		return nil
	}
	account := p.Account // so that this alone is allocated
	return &account
}

// Payer is what requests say of who pays for them, "" where that is the owner of the bucket.
func (p Place) Payer() string {
	if p.RequestPayer {
		return "requester"
	}
	return ""
}

// ARN names the bucket, or the access point, in policies.
func (p Place) ARN() string {
	if p.AccessPoint != "" {
		return p.AccessPoint
	}
	return BucketARN(p.Region, p.Bucket)
}

// BucketARN names a bucket of a region in policies: the region decides the partition, and is not
// part of the name.
func BucketARN(region, bucket string) string {
	return arn.Bucket(awsname.Partition(region), bucket)
}

// SameService reports whether both places are at one service.
func (p Place) SameService(o Place) bool { return p.service == o.service }

// SameBucket reports whether both places are in one bucket, or behind one access point.
func (p Place) SameBucket(o Place) bool { return p.SameService(o) && p.Identity() == o.Identity() }

// Same reports whether both are the same keys of the same bucket.
func (p Place) Same(o Place) bool { return p.SameBucket(o) && p.Prefix == o.Prefix }

// Overlaps reports whether a key of one bucket can be in both.
func (p Place) Overlaps(o Place) bool {
	return p.SameBucket(o) && (p.Contains(o.Prefix) || o.Contains(p.Prefix))
}

// Contains reports whether a key of the bucket is in the place.
func (p Place) Contains(key string) bool { return strings.HasPrefix(key, p.Prefix) }

// MaxKeyBytes is the longest key in bytes of UTF-8 (Amazon S3 User Guide, "Naming Amazon S3
// objects"); the shortest has one.
const MaxKeyBytes = 1024

// KeyTo returns the key at the destination that an object of this place is copied to. It keeps the
// order of keys. The caller checks that there is such a key: S3 takes 1 to [MaxKeyBytes] bytes.
func (p Place) KeyTo(destination Place, key string) string {
	return destination.Prefix + strings.TrimPrefix(key, p.Prefix)
}

// KeyFrom reverses [Place.KeyTo] at the destination: it returns the key at the source that is
// copied to a key of this place. Ok is false for a key that is not in it, and so is no object's
// copy.
func (p Place) KeyFrom(source Place, key string) (sourceKey string, ok bool) {
	inside, ok := strings.CutPrefix(key, p.Prefix)
	if !ok {
		return "", false
	}
	return source.Prefix + inside, true
}
