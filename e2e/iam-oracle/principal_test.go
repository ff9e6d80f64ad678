package iamoracle_test

import (
	"strings"

	"syncd/internal/iam"
)

// names lists how a policy can name the caller, from the account to the exact caller.
func (s *scenario) names() []iam.Principal {
	c := s.Caller
	switch {
	case c.Service != "":
		return []iam.Principal{{Kind: iam.ServicePrincipal, ID: c.Service}}
	case c.Account == "":
		return nil
	}
	list := []iam.Principal{aws(c.Account)}
	if c.RoleARN != "" {
		list = append(list, aws(c.RoleARN))
	}
	if !c.Root {
		list = append(list, aws(c.ARN))
	}
	return list
}

func aws(id string) iam.Principal { return iam.Principal{Kind: iam.AWSPrincipal, ID: id} }

func (g *generator) principals(s *iam.Statement, likely int) {
	if s.Effect == iam.Deny && g.Kind != iam.Trust && g.chance(30) {
		s.NotPrincipals = g.spared()
		return
	}
	if g.chance(12) {
		s.Principals = []iam.Principal{{Kind: iam.AnyPrincipal}}
		return
	}
	seen := map[iam.Principal]bool{}
	for range 1 + g.IntN(2) {
		p := g.other()
		if names := g.names(); g.chance(likely) && len(names) > 0 {
			p = g.alias(pick(g, names...))
		} else if g.anonymous() && g.chance(likely) {
			p = aws("*")
		}
		if !seen[p] {
			seen[p] = true
			s.Principals = append(s.Principals, p)
		}
	}
}

// alias returns an account, in half of the cases, as the ARN of its root user. It returns every
// other principal unchanged.
func (g *generator) alias(p iam.Principal) iam.Principal {
	if len(p.ID) == len(owner) && g.chance(50) {
		return aws(root(p.ID))
	}
	return p
}

// other returns a principal other than the caller, or everyone, which includes the caller.
func (g *generator) other() iam.Principal {
	return pick(g,
		aws("*"), aws(stranger), aws(root(stranger)), aws("arn:aws:iam::"+owner+":user/carol"), aws("arn:aws:iam::"+consumer+":user/ALICE"),
		aws("arn:aws:iam::"+owner+":role/auditor"), aws("arn:aws:sts::"+owner+":assumed-role/reader/weekly"),
		iam.Principal{Kind: iam.ServicePrincipal, ID: "sns.amazonaws.com"},
		iam.Principal{Kind: iam.FederatedPrincipal, ID: "accounts.google.com"},
	)
}

// spared returns a list for NotPrincipal: often all names of the caller, or all but one.
func (g *generator) spared() []iam.Principal {
	var list []iam.Principal
	for _, p := range g.names() {
		if g.chance(80) {
			list = append(list, g.alias(p))
		}
	}
	if len(list) == 0 || g.chance(20) {
		list = append(list, g.other())
	}
	return list
}

// allNamesIn reports whether NotPrincipal lists every name of the caller, or everyone.
func (s *scenario) allNamesIn(list []iam.Principal) bool {
	listed := func(want iam.Principal) bool {
		for _, p := range list {
			account, isRoot := strings.CutPrefix(p.ID, "arn:aws:iam::")
			account, isAccount := strings.CutSuffix(account, ":root")
			if p == want || p == aws("*") || isRoot && isAccount && aws(account) == want {
				return true
			}
		}
		return false
	}
	names := s.names()
	if len(names) == 0 {
		return listed(aws("*"))
	}
	for _, name := range names {
		if !listed(name) {
			return false
		}
	}
	return true
}
