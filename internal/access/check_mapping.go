package access

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"syncd/config"
	"syncd/internal/iam"
)

// mappings finds those that are asked for.
func (o CheckOptions) mappings() ([]config.Mapping, error) {
	if o.Config == nil {
		if len(o.Mappings) > 0 {
			return nil, errors.New("check policies: mappings need a configuration")
		}
		return nil, nil
	}
	if len(o.Mappings) == 0 {
		return o.Config.Mappings, nil
	}
	var list []config.Mapping
	for _, name := range o.Mappings {
		m, ok := o.Config.Mapping(name)
		if !ok {
			return nil, fmt.Errorf("check policies: the configuration has no mapping %s", name)
		}
		list = append(list, m)
	}
	return list, nil
}

// trial is a configuration on trial with documents.
type trial struct {
	*checker
	config *config.Config
	papers []*paper
	absent map[string]bool
	gaps   []*gap
}

// gap is what one document lacks for one principal on one resource.
type gap struct {
	Need
	source  iam.Source
	in      *paper // nil when there is no such document at all
	actions []string
}

// judgeMappings decides every need of the mappings by the documents, as AWS would decide the request. Documents that are not given are
// taken to allow; whatever of the caller is not in the configuration (organization, network) is taken to be as the documents ask.
func (c *checker) judgeMappings(conf *config.Config, mappings []config.Mapping, documents []*document) {
	if conf == nil {
		return
	}
	c.judgeDeputies(conf, mappings)
	t := &trial{checker: c, config: conf, absent: map[string]bool{}}
	var needs []Need
	for _, m := range mappings {
		for _, n := range Needs(conf, m) {
			if n.Role == "" && n.Principal == "" {
				n.Principal = ambient(conf, documents, n.Account)
			}
			needs = append(needs, n)
		}
	}
	for _, d := range documents {
		if p := newPaper(d); p != nil {
			p.assign(needs)
			t.papers = append(t.papers, p)
		}
	}
	for _, n := range needs {
		t.try(n)
	}
	for _, g := range t.gaps {
		t.reportGap(g)
	}
}

// ambient is who the ambient credentials are: the one of the account whose identity policy was given with its name, and who is none of
// the roles of the configuration; "" when that is not known.
func ambient(conf *config.Config, documents []*document, account string) string {
	for _, d := range documents {
		if d.kind != KindIdentity || accountOf(d.target) != account {
			continue
		}
		role := false
		for _, r := range conf.Roles {
			role = role || r.ARN == d.target
		}
		if !role {
			return d.target
		}
	}
	return ""
}

// try decides one need.
func (t *trial) try(n Need) {
	owners, kind := t.owned(n), n.kind()
	identities := t.identities(n)
	if len(identities) == 0 && !n.behind {
		t.noteAbsent(fmt.Sprintf("the identity policy of %s in account %s", principalName(n), n.Account))
	}
	if len(owners) == 0 && (n.Account != n.Owner || !kind.optional()) {
		t.noteAbsent(fmt.Sprintf("the %s of %s in account %s", kind.noun(), n.Resource, n.Owner))
	}
	var first *outcome
	for _, owner := range orNone(owners) {
		for _, caller := range callers(t.config, n, owner) {
			o := decide(n, caller, identities, owner)
			if o.Allowed {
				return
			}
			if first == nil {
				first = &o
			}
		}
	}
	t.record(n, first)
}

func orNone(owners []*paper) []*paper {
	if len(owners) == 0 {
		return []*paper{nil}
	}
	return owners
}

// outcome is a decision, and by which documents.
type outcome struct {
	iam.Decision
	identities []*paper
	owner      *paper
}

func decide(n Need, caller iam.Caller, identities []*paper, owner *paper) outcome {
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
func callers(c *config.Config, n Need, owner *paper) []iam.Caller {
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
func surroundings(n Need, papers []*paper) map[string][]string {
	facts := map[string][]string{"aws:SecureTransport": {"true"}, "s3:TlsVersion": {"1.3"}}
	if strings.HasPrefix(n.Action, "kms:") {
		facts["aws:ViaAWSService"] = []string{"true"}
		facts["kms:CallerAccount"] = []string{n.Account}
	}
	maps.Copy(facts, n.Context)
	for _, p := range papers {
		if p == nil {
			continue
		}
		for _, s := range p.policy.statements {
			for _, cl := range s.clauses {
				if friendly(s, cl, n) && facts[cl.key.text] == nil && len(cl.values) > 0 {
					facts[cl.key.text] = []string{strings.ReplaceAll(cl.values[0].text, "*", "x")}
				}
			}
		}
	}
	return facts
}

// friendly is true of a condition that the trial takes to be met, in an Allow by having its value and in a Deny by being spared for it.
func friendly(s *statement, cl clause, n Need) bool {
	unknown := cl.is("sts:ExternalId") && n.ExternalID && s.mentions(n.Action) && s.concernsCaller(n)
	for _, key := range []string{"aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:SourceVpce", "aws:SourceVpc", "aws:ResourceOrgID"} {
		unknown = unknown || cl.is(key)
	}
	return unknown && cl.family == "String" && cl.negated == (s.effect == "Deny")
}

func (t *trial) noteAbsent(what string) {
	if t.absent[what] {
		return
	}
	t.absent[what] = true
	t.findings = append(t.findings, t.finding(documentMissing, "no document that could be judged was given for "+what+": what the mappings need of it is taken as granted", "give it too"))
}

// record keeps what a need lacks, together with what the same document lacks on the same resource.
func (t *trial) record(n Need, o *outcome) {
	if o.Explicit {
		t.reportDenied(n, o)
		return
	}
	for _, source := range o.Missing {
		in := o.owner
		if source == iam.SourceIdentity {
			in = nil
			if len(o.identities) > 0 {
				in = o.identities[0]
			}
		}
		same := func(g *gap) bool {
			return g.source == source && g.in == in && g.Role == n.Role && g.Account == n.Account && g.Resource == n.Resource &&
				g.ExternalID == n.ExternalID && fmt.Sprint(g.condition) == fmt.Sprint(n.condition)
		}
		if i := slices.IndexFunc(t.gaps, same); i >= 0 {
			if !slices.Contains(t.gaps[i].actions, n.Action) {
				t.gaps[i].actions = append(t.gaps[i].actions, n.Action)
			}
			continue
		}
		t.gaps = append(t.gaps, &gap{Need: n, source: source, in: in, actions: []string{n.Action}})
	}
}

func (t *trial) reportGap(g *gap) {
	lacking, account := "the identity policy of "+principalName(g.Need), g.Account
	if g.source != iam.SourceIdentity {
		lacking, account = "the "+g.kind().noun(), g.Owner
	}
	message := fmt.Sprintf("mapping %s lacks %s on %s for %s: %s in account %s does not allow it",
		g.Mapping, strings.Join(g.actions, ", "), g.Resource, principalName(g.Need), lacking, account)
	f := t.finding(permissionMissing, message, "add the statement "+g.Closing(g.source, g.actions))
	if g.in != nil {
		n := g.in.root.find("Statement")
		f.File, f.Path = g.in.file.Name, n.path
		f.Line, f.Column = g.in.position(n.at)
	}
	t.findings = append(t.findings, f)
}

func (t *trial) reportDenied(n Need, o *outcome) {
	message := fmt.Sprintf("mapping %s needs %s on %s for %s, and the statement denies it", n.Mapping, n.Action, n.Resource, principalName(n))
	f := t.finding(permissionDenied, message, "narrow the statement, or spare "+principalName(n)+" in its condition")
	for _, p := range append(o.identities, o.owner) {
		if p == nil || p.parsed != o.Document {
			continue
		}
		for i := range p.parsed.Statements {
			if &p.parsed.Statements[i] == o.Statement {
				s := p.policy.statements[i].node
				f.File, f.Path = p.file.Name, s.path
				f.Line, f.Column = p.position(s.at)
			}
		}
	}
	t.findings = append(t.findings, f)
}
