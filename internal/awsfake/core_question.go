package awsfake

import "syncd/internal/iam"

// question is one thing that a request wants to do, in the terms of the policy language.
type question struct {
	action, resource string
	account          string // that owns the resource
	kind             iam.ResourceKind
	policy           *iam.Document
	behind           bool                // it is a bucket's that is reached through an access point, and only its policy is asked
	managed          bool                // AWS's own key, which no organization rules over
	gateway          bool                // the policy of the VPC endpoint is asked too: the service is one that it leads to
	forCaller        bool                // a service asks in the caller's name, which does not come through the caller's VPC endpoint
	context          map[string][]string // beyond what every request has
}
