package access

import (
	"strings"

	"syncd/internal/iam"
)

// Kind says what a document is for, and so which rules it follows.
type Kind string

// The kinds of document.
const (
	KindIdentity    Kind = "identity"     // the permissions of a role or a user
	KindTrust       Kind = "trust"        // who may assume a role
	KindBucket      Kind = "bucket"       // the policy of a bucket
	KindAccessPoint Kind = "access-point" // the policy of an access point of a bucket
	KindKey         Kind = "key"          // the policy of a KMS key
	KindQueue       Kind = "queue"        // the policy of an SQS queue
	KindSession     Kind = "session"      // what narrows one session of a role
	KindLifecycle   Kind = "lifecycle"    // the lifecycle rules of a bucket, which are not a policy

	KindServiceControl  Kind = "scp" // what the users and roles of an organization's accounts may do at most
	KindResourceControl Kind = "rcp" // what may be done at most to the resources of an organization's accounts
)

// Kinds lists every [Kind], in the order in which they are explained.
func Kinds() []Kind {
	return []Kind{KindIdentity, KindTrust, KindBucket, KindAccessPoint, KindKey, KindQueue, KindSession, KindLifecycle, KindServiceControl, KindResourceControl}
}

// Service is the one whose actions a policy of the kind has; "" for any.
func (k Kind) Service() string {
	switch k {
	case KindTrust:
		return "sts"
	case KindBucket, KindAccessPoint:
		return "s3"
	case KindKey:
		return "kms"
	case KindQueue:
		return "sqs"
	case KindIdentity, KindSession, KindLifecycle, KindServiceControl, KindResourceControl:
	}
	return ""
}

// OfResource is true of the kinds whose statements name principals.
func (k Kind) OfResource() bool { return k.Service() != "" }

// WithArticle says what a document of the kind is called in a sentence.
func (k Kind) WithArticle() string {
	switch k {
	case KindTrust:
		return "a trust policy"
	case KindBucket:
		return "a bucket policy"
	case KindAccessPoint:
		return "an access point policy"
	case KindKey:
		return "a key policy"
	case KindQueue:
		return "a queue policy"
	case KindSession:
		return "a session policy"
	case KindIdentity:
		return "an identity policy"
	case KindServiceControl:
		return "a service control policy"
	case KindResourceControl:
		return "a resource control policy"
	case KindLifecycle:
	}
	return "a lifecycle configuration"
}

// Noun is what a document of the kind is called, without an article.
func (k Kind) Noun() string {
	_, noun, _ := strings.Cut(k.WithArticle(), " ")
	return noun
}

// ResourceKind is the kind in the words of package iam.
func (k Kind) ResourceKind() iam.ResourceKind {
	switch k {
	case KindTrust:
		return iam.Trust
	case KindBucket, KindAccessPoint:
		return iam.Bucket
	case KindKey:
		return iam.Key
	case KindQueue:
		return iam.Queue
	case KindIdentity, KindSession, KindLifecycle, KindServiceControl, KindResourceControl:
	}
	return iam.Identity
}

// OfOrganization is true of the kinds that AWS Organizations has.
func (k Kind) OfOrganization() bool { return k == KindServiceControl || k == KindResourceControl }

// Kind is the kind of policy that the need's resource has.
func (n Need) Kind() Kind {
	if PointOf(n.Sample) != "" {
		return KindAccessPoint
	}
	return kindOf(n.On)
}

// Optional is true of the kinds of policy that a resource need not have: in its own account
// identity policies suffice.
func (k Kind) Optional() bool { return k == KindBucket || k == KindAccessPoint }

// kindOf is the kind of policy that a resource has.
func kindOf(r Resource) Kind {
	switch r {
	case SourceBucket, SourceObjects, UnderlyingBucket, UnderlyingObjects, DestinationBucket, DestinationObjects, StateBucket, StateObjects:
		return KindBucket
	case SourceKey, DestinationKey, StateKey:
		return KindKey
	case AssumedRole:
		return KindTrust
	}
	return ""
}
