package core

import (
	"syncd/internal/awsfake/directory"
	"syncd/internal/iam"
)

// Decide asks the policy of the VPC endpoint, if the request came through one, then the caller's
// policies, the resource's and their organizations'.
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

// decideBehind asks the policy of a bucket behind an access point, whose own has let the caller
// through, as that of another account, where naming the caller in any way is enough.
func (q *Request) decideBehind(x Question) iam.Decision {
	p := iam.Policies{
		Identity: []*iam.Document{directory.AllowEverything()}, Resource: x.Policy, Kind: x.Kind, ResourceControl: q.Cloud.Directory.ResourceControl(x.Account),
	}
	return iam.Evaluate(iam.Request{Caller: q.Caller.Identity(), Action: x.Action, Resource: x.Resource, Account: x.Account, Context: q.factsFor(x)}, p)
}

// Near reports whether AWS tells this caller the reasons of a refusal in an account: it is the
// caller's own, or one of the same organization.
func (q *Request) Near(account string) bool {
	return q.Cloud.Directory.Related(q.Caller.Account.ID(), account)
}
