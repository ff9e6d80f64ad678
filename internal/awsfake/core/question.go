package core

import "syncd/internal/iam"

// Question is one thing that a request wants to do, in the terms of the policy language.
type Question struct {
	Action, Resource string
	Account          string // that owns the resource
	Kind             iam.ResourceKind
	Policy           *iam.Document
	Behind           bool                // it is a bucket's that is reached through an access point, and only its policy is asked
	Managed          bool                // AWS's own key, which no organization rules over
	Gateway          bool                // the policy of the VPC endpoint is asked too: the service is one that it leads to
	ForCaller        bool                // a service asks in the caller's name, which does not come through the caller's VPC endpoint
	Context          map[string][]string // beyond what every request has
}
