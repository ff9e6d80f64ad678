package access

import (
	"cmp"
	"slices"
	"strings"

	"syncd/internal/iam"
)

// candidate is a document that needs are decided by: one that AWS would store.
type candidate struct {
	*document
	parsed *iam.Document
	bucket string          // that a bucket policy belongs to
	roles  map[string]bool // the principals, or for a trust policy the roles, that it is taken to belong to; nil for all
}

// newCandidate is nil for a document that AWS would refuse, or that decides nothing.
func newCandidate(d *document) *candidate {
	if d.policy == nil || d.broken || slices.Contains([]Kind{KindSession, KindServiceControl, KindResourceControl}, d.kind) {
		return nil
	}
	parsed, err := iam.Parse(d.data[d.root.at:d.root.end])
	if err != nil || len(parsed.Statements) != len(d.policy.statements) {
		return nil
	}
	return &candidate{document: d, parsed: parsed, bucket: d.bucket()}
}

// assign finds out whose an identity or trust policy is that does not say: theirs whose needs it meets at least in part. One that meets
// none may be anybody's.
func (p *candidate) assign(needs []Need) {
	if p.kind != KindIdentity && p.kind != KindTrust || p.says() {
		return
	}
	for _, n := range needs {
		if p.kind == KindTrust && n.On != AssumedRole || !p.allowsSome(n) {
			continue
		}
		if p.roles == nil {
			p.roles = map[string]bool{}
		}
		p.roles[p.subject(n)] = true
	}
}

// concernsCaller reports whether the statement may be about the principal of a need, or somebody else of its account.
func concernsCaller(s *statement, n Need) bool {
	return s.everyone() != nil || slices.ContainsFunc(s.principals, func(p principal) bool {
		return p.id.text == n.Principal || p.account() == n.Account
	})
}

// says reports whether the document tells whose it is.
func (p *candidate) says() bool { return p.written || isARN(p.target) }

// subject is what decides whether the document is about a need.
func (p *candidate) subject(n Need) string {
	if p.kind == KindTrust {
		return n.Sample
	}
	return n.Principal
}

// allowsSome reports whether a statement is about the need, whatever its conditions.
func (p *candidate) allowsSome(n Need) bool {
	return slices.ContainsFunc(p.policy.statements, func(s *statement) bool {
		if s.effect != "Allow" || !s.mentions(n.Action) {
			return false
		}
		if p.kind == KindTrust {
			return concernsCaller(s, n)
		}
		return len(s.resources) == 0 || slices.ContainsFunc(s.resources, func(r *node) bool { return covers(r.text, n.Sample) })
	})
}

// belongs reports whether an identity or trust policy is the one that a need is decided by.
func (p *candidate) belongs(n Need) bool {
	subject := p.subject(n)
	if p.says() {
		return p.target == subject
	}
	return p.roles == nil && subject != "" || p.roles[subject]
}

// identities are the identity policies of the caller.
func (a *assessment) identities(n Need) (list []*candidate) {
	for _, p := range a.candidates {
		if p.kind == KindIdentity && p.belongs(n) {
			list = append(list, p)
		}
	}
	return list
}

// owned are the policies that may be that of the need's resource. There is more than one when they do not say whose they are.
func (a *assessment) owned(n Need) (list []*candidate) {
	for _, p := range a.candidates {
		if p.kind != n.kind() {
			continue
		}
		ours := false
		switch p.kind { //nolint:exhaustive // the kinds that a need's resource can have
		case KindBucket:
			ours = p.bucket == cmp.Or(n.holder, bucketOf(n.Sample))
		case KindAccessPoint:
			ours = cmp.Or(pointOf(p.target), p.policy.accessPoint()) == pointOf(n.Sample)
		case KindKey:
			ours = a.ofKey(p, n)
		case KindTrust:
			ours = p.belongs(n)
		}
		if ours {
			list = append(list, p)
		}
	}
	return list
}

// ofKey reports whether a key policy may be that of the need's key: by its target, by a resource that names a key, or by the account that
// may administer it.
func (a *assessment) ofKey(p *candidate, n Need) bool {
	if isARN(p.target) {
		return covers(n.Resource, p.target)
	}
	if name, ok := strings.CutPrefix(p.target, "key of "); ok {
		m, _ := a.config.Mapping(n.Mapping)
		return name == bucketOf(encryptedARN(n)) || n.On == SourceKey && name == encrypted(m)
	}
	for _, s := range p.policy.statements {
		for _, r := range s.resources {
			if strings.HasPrefix(r.text, "arn:") {
				return covers(n.Resource, r.text) || covers(r.text, n.Sample)
			}
		}
	}
	account := p.ownAccount(a.config)
	return account == "" || account == n.Owner
}

// encryptedARN is the bucket that a need of a key is for.
func encryptedARN(n Need) string {
	context := n.Context[contextKey]
	if len(context) == 0 {
		return ""
	}
	return context[0]
}
