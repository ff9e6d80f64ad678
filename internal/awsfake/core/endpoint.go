package core

import (
	"sync/atomic"

	"syncd/internal/awsfake/directory"
	"syncd/internal/iam"
)

// SourceEndpoint is the name of an endpoint policy in AWS's messages.
const SourceEndpoint iam.Source = "VPC endpoint policy"

// Endpoint is a gateway VPC endpoint of S3, and the entry point of the clients behind it: requests
// to S3 that come through it carry aws:SourceVpce and aws:SourceVpc, must be allowed by its policy
// too, and cannot copy from one Region to another. Requests to the other services pass it by, as
// through the internet.
type Endpoint struct {
	cloud   *Cloud
	id, vpc string
	policy  atomic.Pointer[iam.Document]
}

// Endpoint returns a VPC endpoint ("vpce-...") in a VPC ("vpc-..."). A nil policy is the one that
// AWS gives: everything is allowed.
func (c *Cloud) Endpoint(id, vpc string, policy *iam.Document) *Endpoint {
	e := &Endpoint{cloud: c, id: id, vpc: vpc}
	e.policy.Store(policy)
	return e
}

// SetPolicy replaces the endpoint policy; nil allows everything.
func (e *Endpoint) SetPolicy(policy *iam.Document) { e.policy.Store(policy) }

// locate says in the context keys where a request through the endpoint comes from: a private
// address is not an aws:SourceIp ("AWS global condition context keys", IAM User Guide).
func (e *Endpoint) locate(facts map[string][]string) {
	facts["aws:SourceVpce"], facts["aws:SourceVpc"] = []string{e.id}, []string{e.vpc}
	facts["aws:VpcSourceIp"] = facts["aws:SourceIp"]
	delete(facts, "aws:SourceIp")
}

// decide asks the endpoint policy alone. It is evaluated like a resource policy of another account,
// where naming the caller in any way is enough, behind an identity policy that never stands in the
// way.
func (e *Endpoint) decide(r iam.Request) iam.Decision {
	policy := e.policy.Load()
	if policy == nil {
		return iam.Decision{Allowed: true}
	}
	r.Account = e.id
	d := iam.Evaluate(r, iam.Policies{Identity: []*iam.Document{directory.AllowEverything()}, Resource: policy, Kind: iam.Bucket})
	d.Source = SourceEndpoint
	return d
}
