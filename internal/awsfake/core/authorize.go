package core

import (
	"syncd/internal/awsfake/directory"
	"syncd/internal/iam"
)

// Decide evaluates the policy of the VPC endpoint, if the request came through one, then the
// policies of the caller, of the resource and of their organizations.
func (q *Request) Decide(x Question) iam.Decision {
	r := iam.Request{Caller: q.Caller.Identity(), Action: x.Action, Resource: x.Resource, Account: x.Account, Context: q.factsFor(x)}
	if x.Behind {
		return q.decideBehind(x)
	}
	if q.Endpoint != nil && x.Gateway {
		if d := q.Endpoint.decide(r); !d.Allowed {
			return d
		}
	}
	p := q.Caller.Policies()
	p.Resource, p.Kind = x.Policy, x.Kind
	if !x.Managed {
		p.ResourceControl = q.Cloud.Directory.ResourceControl(x.Account)
	}
	return iam.Evaluate(r, p)
}

// decideBehind evaluates the bucket policy of a bucket that was reached through an access point.
// The access point's policy has already allowed the request. The bucket policy is evaluated like
// the policy of a bucket in another account, where any statement that names the caller is enough.
func (q *Request) decideBehind(x Question) iam.Decision {
	p := iam.Policies{
		Identity: []*iam.Document{directory.AllowEverything()}, Resource: x.Policy, Kind: x.Kind, ResourceControl: q.Cloud.Directory.ResourceControl(x.Account),
	}
	return iam.Evaluate(iam.Request{Caller: q.Caller.Identity(), Action: x.Action, Resource: x.Resource, Account: x.Account, Context: q.factsFor(x)}, p)
}

// Near reports whether AWS tells the caller why a request to a resource of the account was denied.
// AWS does so if the account is the caller's own or belongs to the same organization.
func (q *Request) Near(account string) bool {
	return q.Cloud.Directory.Related(q.Caller.Account.ID(), account)
}
