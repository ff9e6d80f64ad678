package coverage

import (
	"cmp"
	"maps"
	"strings"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/access/lint/document"
	"syncd/internal/arn"
	"syncd/internal/iam"
)

func orNone(owners []*candidate) []*candidate {
	if len(owners) == 0 {
		return []*candidate{nil}
	}
	return owners
}

// outcome is a decision, with the documents that were evaluated for it.
type outcome struct {
	iam.Decision
	identities []*candidate
	owner      *candidate
}

func decideBy(n access.Need, caller iam.Caller, identities []*candidate, owner *candidate) outcome {
	kind := n.Kind()
	p := iam.Policies{Kind: kind.ResourceKind(), Identity: []*iam.Document{{Statements: []iam.Statement{openStatement()}}}}
	if n.Underlying {
		identities = nil
	}
	if len(identities) > 0 {
		p.Identity = nil
	}
	for _, i := range identities {
		p.Identity = append(p.Identity, i.parsed)
	}
	switch {
	case owner != nil:
		p.Resource = owner.parsed
	case n.Account != n.Owner || !kind.Optional():
		s := openStatement()
		s.Principals = []iam.Principal{{Kind: iam.AWSPrincipal, ID: n.Account}}
		if kind == access.KindTrust {
			s.Resources = nil
		}
		p.Resource = &iam.Document{Statements: []iam.Statement{s}}
	}
	request := iam.Request{Caller: caller, Action: n.Action, Resource: n.Sample, Account: n.Owner, Context: surroundings(n, append(identities, owner))}
	return outcome{iam.Evaluate(request, p), identities, owner}
}

func openStatement() iam.Statement {
	return iam.Statement{Effect: iam.Allow, Actions: []string{"*"}, Resources: []string{"*"}}
}

// callers returns the possible callers of a request. If the principal of the need is known, that
// principal is the only caller. The principal of the ambient credentials is not in the
// configuration. For it, callers returns an unnamed role of the account and every principal of the
// account that the document names.
func callers(c *config.Config, n access.Need, owner *candidate) []iam.Caller {
	switch {
	case arn.Kind(n.Principal) == "user":
		return []iam.Caller{{ARN: n.Principal, Account: n.Account}}
	case n.Principal != "":
		return []iam.Caller{session(n.Principal, cmp.Or(c.Roles[n.Role].SessionName, "syncd"))}
	}
	list := []iam.Caller{session(arn.Role("aws", n.Account, "ambient"), "syncd")}
	if owner == nil {
		return list
	}
	for _, s := range owner.parsed.Statements {
		for _, p := range s.Principals {
			switch kind := arn.Kind(p.ID); {
			case arn.Account(p.ID) != n.Account:
			case kind == "role":
				list = append(list, session(p.ID, "syncd"))
			case kind == "user":
				list = append(list, iam.Caller{ARN: p.ID, Account: n.Account})
			}
		}
	}
	return list
}

func session(role, name string) iam.Caller {
	return iam.Caller{ARN: arn.Session(role, name), RoleARN: role, Account: arn.Account(role)}
}

// surroundings returns the condition keys and values of the request. They include the keys of the
// need and the keys that every request of syncd has. Keys that depend on the environment of the
// process get the values that the documents require.
func surroundings(n access.Need, candidates []*candidate) map[string][]string {
	facts := map[string][]string{"aws:SecureTransport": {"true"}, "s3:TlsVersion": {"1.3"}}
	if strings.HasPrefix(n.Action, "kms:") {
		facts["aws:ViaAWSService"] = []string{"true"}
		facts["kms:CallerAccount"] = []string{n.Account}
	}
	maps.Copy(facts, n.Context)
	for _, p := range candidates {
		if p == nil {
			continue
		}
		for _, s := range p.Policy.Statements {
			for _, cl := range s.Clauses {
				if takenAsMet(s, cl, n) && facts[cl.Key.Text] == nil && len(cl.Values) > 0 {
					facts[cl.Key.Text] = []string{strings.ReplaceAll(cl.Values[0].Text, "*", "x")}
				}
			}
		}
	}
	return facts
}

// takenAsMet reports whether the check assumes that a condition of an Allow statement matches, or
// that a condition of a Deny statement exempts the request.
func takenAsMet(s *document.Statement, cl document.Clause, n access.Need) bool {
	unknown := cl.Is("sts:ExternalId") && n.ExternalID && s.Mentions(n.Action) && concernsCaller(s, n)
	for _, key := range []string{"aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:SourceVpce", "aws:SourceVpc", "aws:ResourceOrgID"} {
		unknown = unknown || cl.Is(key)
	}
	return unknown && cl.Family == "String" && cl.Negated == (s.Effect == "Deny")
}
