// Package coverage decides whether documents allow what the mappings of a configuration need.
//
// [Check] decides every need with package iam, as AWS would decide the request. For each missing
// permission it names the document and the statement to add. If a document is not given, Check
// assumes that this document allows the needs, and names it in a note. Check also assumes that
// conditions match if they depend on the environment of the process, such as its organization or
// network.
//
// Package access determines which permissions are needed. Other packages of lint check whether each
// document is valid on its own.
//
// Terms: a candidate is a document that Check uses to decide needs. A gap is the set of actions
// that one document does not allow to one principal on one resource, although a mapping needs them.
package coverage

import (
	"fmt"
	"slices"
	"strings"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/access/lint/document"
	"syncd/internal/access/lint/rule"
	"syncd/internal/arn"
	"syncd/internal/iam"
)

// assessment checks a configuration against documents.
type assessment struct {
	config     *config.Config
	candidates []*candidate
	absent     map[string]bool
	gaps       []*gap
	findings   []rule.Finding
}

// gap is the set of actions that one document does not allow to one principal on one resource,
// although a mapping needs them.
type gap struct {
	access.Need
	source  iam.Source
	in      *candidate // nil if there is no such document
	actions []string
}

// Check decides every need of the mappings with the documents, as AWS would decide the request, and
// returns findings for permissions that are missing or denied. Check assumes that a document that
// is not given allows the needs. It also assumes that properties of the caller that are not in the
// configuration, such as its organization or network, match the conditions of the documents.
func Check(conf *config.Config, mappings []config.Mapping, documents []*document.Document) []rule.Finding {
	a := &assessment{config: conf, absent: map[string]bool{}, findings: deputyFindings(conf, mappings)}
	var needs []access.Need
	for _, m := range mappings {
		for _, n := range access.Needs(conf, m) {
			if n.Role == "" && n.Principal == "" {
				n.Principal = ambient(conf, documents, n.Account)
			}
			needs = append(needs, n)
		}
	}
	for _, d := range documents {
		if p := newCandidate(d); p != nil {
			p.assign(needs)
			a.candidates = append(a.candidates, p)
		}
	}
	for _, n := range needs {
		a.decide(n)
	}
	for _, g := range a.gaps {
		a.reportGap(g)
	}
	return a.findings
}

// ambient returns the ARN of the principal that [Check] treats as the holder of the ambient
// credentials: the target of the first identity policy whose target is in the account and is not a
// configured role. It returns "" if there is none.
func ambient(conf *config.Config, documents []*document.Document, account string) string {
	for _, d := range documents {
		if d.Kind != access.KindIdentity || arn.Account(d.Target) != account {
			continue
		}
		role := false
		for _, r := range conf.Roles {
			role = role || r.ARN == d.Target
		}
		if !role {
			return d.Target
		}
	}
	return ""
}

// decide decides one need.
func (a *assessment) decide(n access.Need) {
	owners, kind := a.owned(n), n.Kind()
	identities := a.identities(n)
	if len(identities) == 0 && !n.Underlying {
		a.noteAbsent(fmt.Sprintf("the identity policy of %s in account %s", access.PrincipalName(n), n.Account))
	}
	if len(owners) == 0 && (n.Account != n.Owner || !kind.Optional()) {
		a.noteAbsent(fmt.Sprintf("the %s of %s in account %s", kind.Noun(), n.Resource, n.Owner))
	}
	var first *outcome
	for _, owner := range orNone(owners) {
		for _, caller := range callers(a.config, n, owner) {
			o := decideBy(n, caller, identities, owner)
			if o.Allowed {
				return
			}
			if first == nil {
				first = &o
			}
		}
	}
	a.record(n, first)
}

func (a *assessment) noteAbsent(what string) {
	if a.absent[what] {
		return
	}
	a.absent[what] = true
	a.findings = append(a.findings, finding(documentMissing, "no usable document was given for "+what+": it is assumed to allow what the mappings need", "provide that document to have it checked"))
}

// record records the permission that is missing for a need. Permissions that the same document
// lacks on the same resource become one gap.
func (a *assessment) record(n access.Need, o *outcome) {
	if o.Explicit {
		a.reportDenied(n, o)
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
				g.ExternalID == n.ExternalID && fmt.Sprint(g.Conditions) == fmt.Sprint(n.Conditions)
		}
		if i := slices.IndexFunc(a.gaps, same); i >= 0 {
			if !slices.Contains(a.gaps[i].actions, n.Action) {
				a.gaps[i].actions = append(a.gaps[i].actions, n.Action)
			}
			continue
		}
		a.gaps = append(a.gaps, &gap{Need: n, source: source, in: in, actions: []string{n.Action}})
	}
}

func (a *assessment) reportGap(g *gap) {
	lacking, account := "the identity policy of "+access.PrincipalName(g.Need), g.Account
	if g.source != iam.SourceIdentity {
		lacking, account = "the "+g.Kind().Noun(), g.Owner
	}
	message := fmt.Sprintf("mapping %s lacks %s on %s for %s: %s in account %s does not allow it",
		g.Mapping, strings.Join(g.actions, ", "), g.Resource, access.PrincipalName(g.Need), lacking, account)
	f := finding(permissionMissing, message, "add the statement "+g.Closing(g.source, g.actions))
	if g.in != nil {
		n := g.in.Root.Find("Statement")
		f.File, f.Path = g.in.File.Name, n.Path
		f.Line, f.Column = g.in.Position(n.At)
	}
	a.findings = append(a.findings, f)
}

func (a *assessment) reportDenied(n access.Need, o *outcome) {
	message := fmt.Sprintf("mapping %s needs %s on %s for %s, but this statement denies it", n.Mapping, n.Action, n.Resource, access.PrincipalName(n))
	f := finding(permissionDenied, message, "narrow the statement, or exempt "+access.PrincipalName(n)+" in its condition")
	for _, p := range append(o.identities, o.owner) {
		if p == nil || p.parsed != o.Document {
			continue
		}
		for i := range p.parsed.Statements {
			if &p.parsed.Statements[i] == o.Statement {
				s := p.Policy.Statements[i].Node
				f.File, f.Path = p.File.Name, s.Path
				f.Line, f.Column = p.Position(s.At)
			}
		}
	}
	a.findings = append(a.findings, f)
}
