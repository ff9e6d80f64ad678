package core

import (
	"sync/atomic"

	"syncd/internal/awsfake/directory"
	"syncd/internal/iam"
)

// SourceEndpoint names an endpoint policy in AWS's messages.
const SourceEndpoint iam.Source = "VPC endpoint policy"

// Endpoint is a gateway VPC endpoint of S3 and the entry point of the clients in that VPC. S3
// requests through the endpoint have the context keys aws:SourceVpce and aws:SourceVpc, must also
// be allowed by the endpoint policy, and cannot copy from one Region to another. Requests to other
// services are treated as if they came through the internet.
type Endpoint struct {
	cloud   *Cloud
	id, vpc string
	policy  atomic.Pointer[iam.Document]
}

// Endpoint returns a VPC endpoint ("vpce-...") in a VPC ("vpc-..."). A nil policy means AWS's
// default, which allows everything.
func (c *Cloud) Endpoint(id, vpc string, policy *iam.Document) *Endpoint {
	e := &Endpoint{cloud: c, id: id, vpc: vpc}
	e.policy.Store(policy)
	return e
}

// SetPolicy replaces the endpoint policy; nil allows everything.
func (e *Endpoint) SetPolicy(policy *iam.Document) { e.policy.Store(policy) }

// locate sets the context keys for the origin of a request that comes through the endpoint. A
// private address is aws:VpcSourceIp, not aws:SourceIp ("AWS global condition context keys", IAM
// User Guide).
func (e *Endpoint) locate(facts map[string][]string) {
	facts["aws:SourceVpce"], facts["aws:SourceVpc"] = []string{e.id}, []string{e.vpc}
	facts["aws:VpcSourceIp"] = facts["aws:SourceIp"]
	delete(facts, "aws:SourceIp")
}

// decide evaluates only the endpoint policy. It treats this policy as a resource policy of another
// account, where any statement that names the caller is enough, and combines it with an identity
// policy that allows everything.
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
