package iam

import (
	"slices"
	"strings"
)

// layer is a type of policy at its place in the order in which AWS evaluates, which is the order of
// preference among several reasons.
type layer int

const (
	resourceControl layer = iota
	serviceControl
	resource
	identity
	boundary
	session
	layers
)

// verdict is what the policies of one layer say.
type verdict struct {
	inForce     bool
	deny, allow *Statement
	document    *Document // of deny, else of allow
	grant       grant     // of allow, in a resource policy
}

// evaluation is one request under way through the policies.
type evaluation struct {
	scope   // of the document that is looked at
	kind    ResourceKind
	cross   bool
	bounded bool // the caller has a permissions boundary
	// The layer, and what the statement does that is looked at.
	layer  layer
	effect Effect
}

// Evaluate decides the request. An explicit deny wins; without one, the policies that have to allow
// are those of "Policy evaluation logic": in one account the identity or the resource policy,
// across accounts both.
func Evaluate(req Request, p Policies) Decision {
	e := &evaluation{scope: scope{req: &req}, kind: p.Kind, bounded: p.Boundary != nil && req.Caller.hasAccount()}
	e.cross = req.Account != "" && req.Account != req.Caller.Account || !req.Caller.hasAccount()
	var v [layers]verdict
	v[resourceControl] = e.judge(resourceControl, p.ResourceControl)
	v[resource] = e.judge(resource, []*Document{p.Resource})
	if req.Caller.hasAccount() {
		v[serviceControl] = e.judge(serviceControl, p.ServiceControl)
		v[identity] = e.judge(identity, p.Identity)
		v[boundary] = e.judge(boundary, []*Document{p.Boundary})
		v[session] = e.judge(session, p.Session)
	}
	return e.decide(&v)
}

// judge looks for a deny in the documents, and for the strongest allow.
func (e *evaluation) judge(l layer, documents []*Document) verdict {
	e.layer = l
	var v verdict
	for _, d := range documents {
		if d == nil {
			continue
		}
		v.inForce = true
		e.variables = d.Version == Version2012
		for i := range d.Statements {
			s := &d.Statements[i]
			g := e.applies(s)
			switch {
			case g == noGrant:
			case s.Effect == Deny:
				v.deny, v.document = s, d
				return v
			case s.Effect == Allow && g > v.grant:
				v.allow, v.document, v.grant = s, d, g
			}
		}
	}
	return v
}

// applies reports whether the statement is about the request; outside a resource policy, where
// nobody is named, as a direct grant.
func (e *evaluation) applies(s *Statement) grant {
	e.effect = s.Effect
	g := directGrant
	if e.layer == resource {
		g = e.namesCaller(s)
	}
	if g == noGrant || !e.aboutAction(s) || !e.aboutResource(s) {
		return noGrant
	}
	for i := range s.Conditions {
		if !e.holds(&s.Conditions[i], s.Effect) {
			return noGrant
		}
	}
	return g
}

// namesCaller is how strongly the statement names the caller. "The NotPrincipal element with a Deny
// effect will always deny any IAM principal that has a permissions boundary policy attached" (AWS
// JSON policy elements: NotPrincipal).
func (e *evaluation) namesCaller(s *Statement) grant {
	if s.Effect == Deny && e.sparesOwner() {
		return noGrant
	}
	if len(s.NotPrincipals) == 0 {
		return s.grants(&e.req.Caller)
	}
	// With Allow, which CheckKind refuses, it would grant to everyone that nobody thought of.
	if s.Effect == Deny && (e.bounded || !s.spares(&e.req.Caller)) {
		return directGrant
	}
	return noGrant
}

// sparesOwner is the way out for who locked himself out: a deny in a bucket policy does not keep
// the root user of the bucket's account from reading, replacing and deleting that policy. See
// PutBucketPolicy in the S3 API reference.
func (e *evaluation) sparesOwner() bool {
	if e.cross || !e.req.Caller.Root {
		return false
	}
	switch e.req.Action {
	case "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy":
		return true
	}
	return false
}

func (e *evaluation) aboutAction(s *Statement) bool {
	patterns, listed := s.Actions, true
	if len(s.NotActions) > 0 {
		patterns, listed = s.NotActions, false
	}
	return slices.ContainsFunc(patterns, func(p string) bool { return matchAction(p, e.req.Action) }) == listed
}

// aboutResource is false of a statement without Resource, which KMS accepts though it has no
// effect. In a trust policy it is the rule.
func (e *evaluation) aboutResource(s *Statement) bool {
	patterns, listed := s.Resources, true
	switch {
	case len(s.NotResources) > 0:
		patterns, listed = s.NotResources, false
	case len(s.Resources) == 0:
		return e.layer == resource && e.kind == Trust
	}
	if slices.ContainsFunc(patterns, lacksService) {
		return e.effect == Deny // only a document built in code gets here: neither effect may let the request through
	}
	return slices.ContainsFunc(patterns, e.isResource) == listed
}

// isResource compares the request's resource with a pattern. An ARN cut short is completed in an
// identity-based policy only. Variables may only stand in the sixth component of an ARN.
func (e *evaluation) isResource(pattern string) bool {
	switch e.layer {
	case identity, boundary, session:
		pattern = complete(pattern)
	case resourceControl, serviceControl, resource, layers:
	}
	if strings.Contains(pattern, "${") {
		at := resourcePart(pattern)
		tail, ok := e.expand(pattern[at:], true)
		if !ok {
			return false
		}
		pattern = pattern[:at] + tail
	}
	return matchResource(pattern, e.req.Resource)
}

func (e *evaluation) decide(v *[layers]verdict) Decision {
	d := Decision{Action: e.req.Action, Kind: e.kind, CrossAccount: e.cross}
	for l := range layers {
		if v[l].deny != nil {
			d.Explicit, d.Source, d.Statement, d.Document = true, e.source(l), v[l].deny, v[l].document
			return d
		}
	}
	for l := range layers {
		if e.needs(l, v) && v[l].allow == nil {
			d.Missing = append(d.Missing, e.source(l))
		}
	}
	if len(d.Missing) > 0 {
		d.Source = d.Missing[0]
		return d
	}
	l := identity
	if e.cross || v[resource].grant >= roleGrant {
		l = resource
	}
	d.Allowed, d.Source, d.Statement, d.Document = true, e.source(l), v[l].allow, v[l].document
	return d
}

// needs reports whether the layer has to allow. Within one account a grant of the resource policy
// bypasses what is weaker than it; across accounts nothing is bypassed.
func (e *evaluation) needs(l layer, v *[layers]verdict) bool {
	c := &e.req.Caller
	bypassed := func(by grant) bool { return !c.hasAccount() || !e.cross && v[resource].grant >= by }
	switch l {
	case resource:
		return e.cross || e.kind == Key || e.kind == Trust
	case identity:
		return !c.Root && !bypassed(roleGrant)
	case boundary, session:
		return v[l].inForce && !bypassed(directGrant)
	case resourceControl, serviceControl, layers:
	}
	return v[l].inForce
}

func (e *evaluation) source(l layer) Source {
	if l == resource && e.kind == Trust {
		return SourceTrust
	}
	return [layers]Source{
		SourceResourceControl, SourceServiceControl, SourceResource, SourceIdentity, SourceBoundary, SourceSession,
	}[l]
}
