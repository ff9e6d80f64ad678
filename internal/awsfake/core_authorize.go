package awsfake

import (
	"syncd/internal/iam"
)

// decide asks the policy of the VPC endpoint, if the request came through one, then the caller's
// policies, the resource's and their organizations'.
func (q *request) decide(x question) iam.Decision {
	r := iam.Request{Caller: q.caller.identity(), Action: x.action, Resource: x.resource, Account: x.account, Context: q.factsFor(x)}
	if x.behind {
		return q.decideBehind(x)
	}
	if q.endpoint != nil && x.gateway {
		if d := q.endpoint.decide(r); !d.Allowed {
			return d
		}
	}
	p := q.caller.policies()
	p.Resource, p.Kind = x.policy, x.kind
	if !x.managed {
		p.ResourceControl = q.cloud.directory.resourceControl(x.account)
	}
	return iam.Evaluate(r, p)
}

// decideBehind asks the policy of a bucket behind an access point, whose own has let the caller through, as that of another account,
// where naming the caller in any way is enough.
func (q *request) decideBehind(x question) iam.Decision {
	p := iam.Policies{
		Identity: []*iam.Document{allowEverything()}, Resource: x.policy, Kind: x.kind, ResourceControl: q.cloud.directory.resourceControl(x.account),
	}
	return iam.Evaluate(iam.Request{Caller: q.caller.identity(), Action: x.action, Resource: x.resource, Account: x.account, Context: q.factsFor(x)}, p)
}

// near reports whether AWS tells this caller the reasons of a refusal in an account: it is the
// caller's own, or one of the same organization.
func (q *request) near(account string) bool {
	return q.cloud.directory.related(q.caller.account.ID(), account)
}
