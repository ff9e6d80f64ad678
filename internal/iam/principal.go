package iam

import (
	"syncd/internal/arn"
)

// grant says how a statement of a resource policy names the caller. The order is that of strength:
// the stronger the grant, the more of the caller's own policies it bypasses in the same account.
// See "Policy evaluation logic", and "Permissions boundaries".
type grant int

const (
	noGrant      grant = iota
	accountGrant       // names the account: hands the decision over to its identity policies
	roleGrant          // names the session's role: bypasses the identity policies, not the boundary and the session policy
	directGrant        // names the user, the very session, the service, or everyone: bypasses all of them
)

// names is how strongly the principal names the caller. An ARN is taken literally: there are no
// wildcards inside a principal. Identifiers that a policy shows in place of a deleted role
// (AROA...), federated users and canonical users name no caller that this package knows.
func (p Principal) names(c *Caller) grant {
	switch p.Kind {
	case AnyPrincipal:
		return directGrant
	case ServicePrincipal:
		if p.ID != "" && p.ID == c.Service {
			return directGrant
		}
	case AWSPrincipal:
		return namesAWS(p.ID, c)
	case FederatedPrincipal, CanonicalUserPrincipal:
	}
	return noGrant
}

func namesAWS(id string, c *Caller) grant {
	switch {
	case id == "*":
		return directGrant
	case id == "" || !c.hasAccount():
		return noGrant
	case namesAccount(id, c.Account):
		return accountGrant
	case id == c.ARN:
		return directGrant
	case id == c.RoleARN:
		return roleGrant
	}
	return noGrant
}

// namesAccount reports whether an AWS principal stands for the whole account: 111111111111 and
// arn:aws:iam::111111111111:root do.
func namesAccount(id, account string) bool {
	if id == account {
		return true
	}
	a, ok := arn.Split(id) // whatever the partition
	return ok && a.IsRoot() && a.Region == "" && a.Account == account
}

// grants is the strongest grant of the statement's principals.
func (s *Statement) grants(c *Caller) grant {
	best := noGrant
	for _, p := range s.Principals {
		best = max(best, p.names(c))
	}
	return best
}

// spares reports whether NotPrincipal leaves the caller out. It does so only when it lists every
// name the caller has: with a session its role and its account, with a user the account. See "IAM
// JSON policy elements: NotPrincipal".
func (s *Statement) spares(c *Caller) bool {
	listed := func(of grant) bool {
		for _, p := range s.NotPrincipals {
			if p.Kind == AnyPrincipal || p.Kind == AWSPrincipal && p.ID == "*" || p.names(c) == of {
				return true
			}
		}
		return false
	}
	switch {
	case !c.hasAccount():
		return listed(directGrant)
	case c.Root:
		return listed(accountGrant)
	case c.RoleARN != "":
		return listed(directGrant) && listed(roleGrant) && listed(accountGrant)
	}
	return listed(directGrant) && listed(accountGrant)
}

// hasAccount is false of an AWS service and of an anonymous caller: they have no policies of their
// own, a resource policy alone decides.
func (c *Caller) hasAccount() bool {
	return c.Account != "" && c.Service == ""
}

// principalType is the value of aws:PrincipalType, "" of a service.
func (c *Caller) principalType() string {
	switch {
	case c.Service != "":
		return ""
	case c.Root:
		return "Account"
	case c.RoleARN != "":
		return "AssumedRole"
	case c.hasAccount():
		return "User"
	}
	return "Anonymous"
}

// principalARN is the value of aws:PrincipalArn: of a session the ARN of its role, never that of
// the session.
func (c *Caller) principalARN() string {
	if c.RoleARN != "" {
		return c.RoleARN
	}
	return c.ARN
}

// userName is the value of aws:username, "" of anybody but a user. It has no path: of user/team/a
// it is a.
func (c *Caller) userName() string {
	if c.Root || c.RoleARN != "" || !c.hasAccount() {
		return ""
	}
	if arn.Kind(c.ARN) != "user" {
		return ""
	}
	return arn.Name(c.ARN)
}

// userID is the value of aws:userid where the caller alone tells it: that of a user or of a session
// begins with an id of IAM's.
func (c *Caller) userID() string {
	if c.Root {
		return c.Account
	}
	return c.anonymous()
}

// anonymous is what aws:PrincipalAccount and aws:userid say of a request that nobody signed, "" of
// a signed one.
func (c *Caller) anonymous() string {
	if c.Account == "" && c.Service == "" {
		return "anonymous"
	}
	return ""
}
