package core

import "syncd/internal/iam"

// Question is one authorisation decision that a request needs.
type Question struct {
	Action, Resource string
	Account          string // the account that owns the resource
	Kind             iam.ResourceKind
	Policy           *iam.Document
	Behind           bool                // evaluate only the bucket policy: the bucket was reached through an access point
	Managed          bool                // AWS managed key: no resource control policy applies
	Gateway          bool                // evaluate the policy of the VPC endpoint too: the endpoint serves this service
	ForCaller        bool                // a service calls in the caller's name, outside the caller's VPC endpoint
	Context          map[string][]string // in addition to the keys that every request has
}
