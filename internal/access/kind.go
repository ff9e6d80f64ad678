package access

import (
	"strings"

	"syncd/internal/iam"
)

// Kind is the purpose of a document, which determines the rules that apply to it.
type Kind string

// The kinds of document.
const (
	KindIdentity    Kind = "identity"     // the permissions of a role or a user
	KindTrust       Kind = "trust"        // who may assume a role
	KindBucket      Kind = "bucket"       // the policy of a bucket
	KindAccessPoint Kind = "access-point" // the policy of an access point of a bucket
	KindKey         Kind = "key"          // the policy of a KMS key
	KindQueue       Kind = "queue"        // the policy of an SQS queue
	KindSession     Kind = "session"      // the policy that restricts one session of a role
	KindLifecycle   Kind = "lifecycle"    // the lifecycle rules of a bucket; not a policy

	KindServiceControl  Kind = "scp" // limits the permissions of users and roles in an organization's accounts
	KindResourceControl Kind = "rcp" // limits the permissions on resources in an organization's accounts
)

// Kinds lists every [Kind], in the order of the documentation.
func Kinds() []Kind {
	return []Kind{KindIdentity, KindTrust, KindBucket, KindAccessPoint, KindKey, KindQueue, KindSession, KindLifecycle, KindServiceControl, KindResourceControl}
}

// Service returns the service whose actions a policy of this kind contains, or "" for any service.
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

// OfResource reports whether a policy of this kind is attached to a resource, so that its
// statements name principals.
func (k Kind) OfResource() bool { return k.Service() != "" }

// WithArticle returns the name of the kind with its article, for use in a sentence.
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

// Noun returns the name of the kind without an article.
func (k Kind) Noun() string {
	_, noun, _ := strings.Cut(k.WithArticle(), " ")
	return noun
}

// ResourceKind returns the kind under which package iam evaluates policies of this kind.
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

// OfOrganization reports whether policies of this kind are managed in AWS Organizations.
func (k Kind) OfOrganization() bool { return k == KindServiceControl || k == KindResourceControl }

// Kind returns the kind of policy that is attached to the need's resource.
func (n Need) Kind() Kind {
	if PointOf(n.Sample) != "" {
		return KindAccessPoint
	}
	return kindOf(n.On)
}

// Optional reports whether a resource can be used without a policy of this kind. Principals of the
// resource's account then need only their identity policies.
func (k Kind) Optional() bool { return k == KindBucket || k == KindAccessPoint }

// kindOf returns the kind of policy that is attached to a resource, or "" for an unknown resource.
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
