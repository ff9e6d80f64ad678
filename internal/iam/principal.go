package iam

import (
	"syncd/internal/arn"
)

// grant is how a statement of a resource policy names the caller, in order of strength: a stronger
// grant bypasses more of the caller's own policies in the same account. See "Policy evaluation
// logic", and "Permissions boundaries".
type grant int

const (
	noGrant      grant = iota
	accountGrant       // names the account: delegates the decision to the account's identity policies
	roleGrant          // names the session's role: bypasses identity policies, but not the boundary and session policies
	directGrant        // names the user, the session itself, the service, or everyone: also bypasses the boundary and session policies
)

// names returns how strongly the principal names the caller. ARNs are compared literally, because
// principals cannot contain wildcards. The IDs that replace a deleted role in a policy (AROA...),
// federated users and canonical users match no caller in this package.
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

// namesAccount reports whether an AWS principal means the whole account, as 111111111111 and
// arn:aws:iam::111111111111:root do.
func namesAccount(id, account string) bool {
	if id == account {
		return true
	}
	a, ok := arn.Split(id) // in any partition
	return ok && a.IsRoot() && a.Region == "" && a.Account == account
}

// grants returns the strongest grant of the statement's principals.
func (s *Statement) grants(c *Caller) grant {
	best := noGrant
	for _, p := range s.Principals {
		best = max(best, p.names(c))
	}
	return best
}

// spares reports whether NotPrincipal exempts the caller. NotPrincipal must list every name of the
// caller: a session with its role and its account, a user with its account. See "IAM JSON policy
// elements: NotPrincipal".
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

// hasAccount reports whether the caller belongs to an account. AWS services and anonymous callers
// belong to no account. They have no identity policies, so only a resource policy decides.
func (c *Caller) hasAccount() bool {
	return c.Account != "" && c.Service == ""
}

// principalType returns the value of aws:PrincipalType, or "" for a service.
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

// principalARN returns the value of aws:PrincipalArn. For a session it is the ARN of the role, not
// of the session.
func (c *Caller) principalARN() string {
	if c.RoleARN != "" {
		return c.RoleARN
	}
	return c.ARN
}

// userName returns the value of aws:username, or "" if the caller is not a user. It does not
// include the path: for user/team/a it is a.
func (c *Caller) userName() string {
	if c.Root || c.RoleARN != "" || !c.hasAccount() {
		return ""
	}
	if arn.Kind(c.ARN) != "user" {
		return ""
	}
	return arn.Name(c.ARN)
}

// userID returns the value of aws:userid for root users and anonymous callers. For users and
// sessions it returns "", because the value begins with an ID that IAM assigns.
func (c *Caller) userID() string {
	if c.Root {
		return c.Account
	}
	return c.anonymous()
}

// anonymous returns the value of aws:PrincipalAccount and aws:userid for an unsigned request, or ""
// for a signed one.
func (c *Caller) anonymous() string {
	if c.Account == "" && c.Service == "" {
		return "anonymous"
	}
	return ""
}
