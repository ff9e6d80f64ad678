package iam

import (
	"slices"
	"strings"
)

// layer is a type of policy. The layers are in AWS's order of evaluation, which determines the
// reported layer if several of them deny the request.
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

// verdict is the result of the policies of one layer.
type verdict struct {
	inForce     bool
	deny, allow *Statement
	document    *Document // the document that contains deny or, if deny is nil, allow
	grant       grant     // in a resource policy, how strongly allow names the caller
}

// evaluation is the state of evaluating one request.
type evaluation struct {
	scope   // scope of the current document
	kind    ResourceKind
	cross   bool
	bounded bool // the caller has a permissions boundary
	// layer and effect belong to the statement that is being evaluated.
	layer  layer
	effect Effect
}

// Evaluate decides a request. An explicit deny wins. Otherwise "Policy evaluation logic" defines
// which policies must allow the request. Within one account the identity policy or the resource
// policy is sufficient; across accounts both must allow it.
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

// judge returns a Deny statement of the documents that applies to the request. If there is none, it
// returns the Allow statement with the strongest grant.
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

// applies returns how strongly the statement applies to the request, or noGrant. A statement of any
// policy but a resource policy names no principal, and counts as a direct grant.
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

// namesCaller returns how strongly the statement names the caller. "The NotPrincipal element with a
// Deny effect will always deny any IAM principal that has a permissions boundary policy attached"
// (AWS JSON policy elements: NotPrincipal).
func (e *evaluation) namesCaller(s *Statement) grant {
	if s.Effect == Deny && e.sparesOwner() {
		return noGrant
	}
	if len(s.NotPrincipals) == 0 {
		return s.grants(&e.req.Caller)
	}
	// NotPrincipal with Allow, which CheckKind rejects, would grant access to everyone who is not
	// listed.
	if s.Effect == Deny && (e.bounded || !s.spares(&e.req.Caller)) {
		return directGrant
	}
	return noGrant
}

// sparesOwner reports whether the request is exempt from Deny statements of a bucket policy. So
// that owners cannot lock themselves out, the root user of the bucket's account may always read,
// replace and delete the bucket policy. See PutBucketPolicy in the S3 API reference.
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

// aboutResource reports whether the statement applies to the request's resource. A statement
// without Resource applies only in a trust policy, whose statements never have one. KMS also
// accepts such a statement in a key policy, but it has no effect.
func (e *evaluation) aboutResource(s *Statement) bool {
	patterns, listed := s.Resources, true
	switch {
	case len(s.NotResources) > 0:
		patterns, listed = s.NotResources, false
	case len(s.Resources) == 0:
		return e.layer == resource && e.kind == Trust
	}
	if slices.ContainsFunc(patterns, lacksService) {
		// Only a document built in code can have such a resource. A Deny statement with such a
		// resource applies to every resource, and an Allow statement applies to none.
		return e.effect == Deny
	}
	return slices.ContainsFunc(patterns, e.isResource) == listed
}

// isResource reports whether the request's resource matches a pattern. An incomplete ARN is
// completed only in identity-based policies. Variables are allowed only in the sixth component of
// an ARN.
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

// needs reports whether the layer must allow the request. Within one account, a strong enough grant
// in the resource policy bypasses other layers; across accounts nothing is bypassed.
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
