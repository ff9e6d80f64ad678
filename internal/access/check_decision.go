package access

import (
	"cmp"
	"maps"
	"strings"

	"syncd/config"
	"syncd/internal/iam"
)

func orNone(owners []*candidate) []*candidate {
	if len(owners) == 0 {
		return []*candidate{nil}
	}
	return owners
}

// outcome is a decision, and by which documents.
type outcome struct {
	iam.Decision
	identities []*candidate
	owner      *candidate
}

func decideBy(n Need, caller iam.Caller, identities []*candidate, owner *candidate) outcome {
	kind := n.kind()
	p := iam.Policies{Kind: kind.ruled(), Identity: []*iam.Document{{Statements: []iam.Statement{openStatement()}}}}
	if n.behind {
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
	case n.Account != n.Owner || !kind.optional():
		s := openStatement()
		s.Principals = []iam.Principal{{Kind: iam.AWSPrincipal, ID: n.Account}}
		if kind == KindTrust {
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

// callers is who may send the request: the session of the role, or of the ambient credentials everyone of their account whom the
// document names, because the configuration does not say who they are.
func callers(c *config.Config, n Need, owner *candidate) []iam.Caller {
	switch {
	case strings.Contains(n.Principal, ":user/"):
		return []iam.Caller{{ARN: n.Principal, Account: n.Account}}
	case n.Principal != "":
		return []iam.Caller{session(n.Principal, cmp.Or(c.Roles[n.Role].SessionName, "syncd"))}
	}
	list := []iam.Caller{session("arn:aws:iam::"+n.Account+":role/ambient", "syncd")}
	if owner == nil {
		return list
	}
	for _, s := range owner.parsed.Statements {
		for _, p := range s.Principals {
			switch a := parseARN(p.ID); {
			case a.account != n.Account:
			case strings.HasPrefix(a.resource, "role/"):
				list = append(list, session(p.ID, "syncd"))
			case strings.HasPrefix(a.resource, "user/"):
				list = append(list, iam.Caller{ARN: p.ID, Account: a.account})
			}
		}
	}
	return list
}

func session(role, name string) iam.Caller {
	a := parseARN(role)
	arn := "arn:" + a.partition + ":sts::" + a.account + ":assumed-role/" + role[strings.LastIndexByte(role, '/')+1:] + "/" + name
	return iam.Caller{ARN: arn, RoleARN: role, Account: a.account}
}

// surroundings are the condition keys of the request: those of the need, those that all requests of syncd have, and for what depends on
// where the process runs the values that the documents ask for.
func surroundings(n Need, candidates []*candidate) map[string][]string {
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
		for _, s := range p.policy.statements {
			for _, cl := range s.clauses {
				if takenAsMet(s, cl, n) && facts[cl.key.text] == nil && len(cl.values) > 0 {
					facts[cl.key.text] = []string{strings.ReplaceAll(cl.values[0].text, "*", "x")}
				}
			}
		}
	}
	return facts
}

// takenAsMet is true of a condition that is taken to be met, in an Allow by having its value and in a Deny by being spared for it.
func takenAsMet(s *statement, cl clause, n Need) bool {
	unknown := cl.is("sts:ExternalId") && n.ExternalID && s.mentions(n.Action) && concernsCaller(s, n)
	for _, key := range []string{"aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:SourceVpce", "aws:SourceVpc", "aws:ResourceOrgID"} {
		unknown = unknown || cl.is(key)
	}
	return unknown && cl.family == "String" && cl.negated == (s.effect == "Deny")
}
