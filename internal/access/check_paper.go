package access

import (
	"cmp"
	"slices"
	"strings"

	"syncd/internal/iam"
)

// paper is a document that takes part in a trial: one that AWS would store.
type paper struct {
	*document
	parsed *iam.Document
	bucket string          // that a bucket policy belongs to
	roles  map[string]bool // the principals, or for a trust policy the roles, that it is taken to belong to; nil for all
}

// newPaper is nil for a document that AWS would refuse, or that decides nothing.
func newPaper(d *document) *paper {
	if d.policy == nil || d.broken || slices.Contains([]Kind{KindSession, KindServiceControl, KindResourceControl}, d.kind) {
		return nil
	}
	parsed, err := iam.Parse(d.data[d.root.at:d.root.end])
	if err != nil || len(parsed.Statements) != len(d.policy.statements) {
		return nil
	}
	return &paper{document: d, parsed: parsed, bucket: d.bucket()}
}

// assign finds out whose an identity or trust policy is that does not say: theirs whose needs it meets at least in part. One that meets
// none may be anybody's.
func (p *paper) assign(needs []Need) {
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
func (s *statement) concernsCaller(n Need) bool {
	return s.everyone() != nil || slices.ContainsFunc(s.principals, func(p principal) bool {
		return p.id.text == n.Principal || accountOfPrincipal(p.id.text) == n.Account
	})
}

// says reports whether the document tells whose it is.
func (p *paper) says() bool { return p.written || isARN(p.target) }

// subject is what decides whether the document is about a need.
func (p *paper) subject(n Need) string {
	if p.kind == KindTrust {
		return n.Sample
	}
	return n.Principal
}

// allowsSome reports whether a statement is about the need, whatever its conditions.
func (p *paper) allowsSome(n Need) bool {
	return slices.ContainsFunc(p.policy.statements, func(s *statement) bool {
		if s.effect != "Allow" || !s.mentions(n.Action) {
			return false
		}
		if p.kind == KindTrust {
			return s.concernsCaller(n)
		}
		return len(s.resources) == 0 || slices.ContainsFunc(s.resources, func(r *node) bool { return covers(r.text, n.Sample) })
	})
}

// belongs reports whether an identity or trust policy is the one that a need is decided by.
func (p *paper) belongs(n Need) bool {
	subject := p.subject(n)
	if p.says() {
		return p.target == subject
	}
	return p.roles == nil && subject != "" || p.roles[subject]
}

// identities are the identity policies of the caller.
func (t *trial) identities(n Need) (list []*paper) {
	for _, p := range t.papers {
		if p.kind == KindIdentity && p.belongs(n) {
			list = append(list, p)
		}
	}
	return list
}

// owned are the policies that may be that of the need's resource. There is more than one when they do not say whose they are.
func (t *trial) owned(n Need) (list []*paper) {
	for _, p := range t.papers {
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
			ours = t.ofKey(p, n)
		case KindTrust:
			ours = p.belongs(n)
		}
		if ours {
			list = append(list, p)
		}
	}
	return list
}

// bucket is the bucket that a document is about, by its target or its first resource that names one.
func (d *document) bucket() string {
	switch {
	case isARN(d.target):
		return bucketOf(d.target)
	case d.target != "":
		return d.target
	}
	for _, s := range d.policy.statements {
		for _, r := range slices.Concat(s.resources, s.notResources) {
			if name := bucketOf(r.text); name != "" && !wild(name) {
				return name
			}
		}
	}
	return ""
}

// ofKey reports whether a key policy may be that of the need's key: by its target, by a resource that names a key, or by the account that
// may administer it.
func (t *trial) ofKey(p *paper, n Need) bool {
	if isARN(p.target) {
		return covers(n.Resource, p.target)
	}
	if name, ok := strings.CutPrefix(p.target, "key of "); ok {
		m, _ := t.config.Mapping(n.Mapping)
		return name == bucketOf(encryptedARN(n)) || n.On == SourceKey && name == encrypted(m)
	}
	for _, s := range p.policy.statements {
		for _, r := range s.resources {
			if strings.HasPrefix(r.text, "arn:") {
				return covers(n.Resource, r.text) || covers(r.text, n.Sample)
			}
		}
	}
	t.d = p.document
	account := t.ownAccount()
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
