package coverage

import (
	"cmp"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/access/lint/document"
	"syncd/internal/arn"
	"syncd/internal/iam"
)

// candidate is a document that needs are decided by: one that AWS would store.
type candidate struct {
	*document.Document
	parsed *iam.Document
	bucket string          // that a bucket policy belongs to
	roles  map[string]bool // the principals, or for a trust policy the roles, that it is taken to belong to; nil for all
}

// newCandidate is nil for a document that AWS would refuse, or that decides nothing.
func newCandidate(d *document.Document) *candidate {
	if d.Policy == nil || d.Broken || slices.Contains([]access.Kind{access.KindSession, access.KindServiceControl, access.KindResourceControl}, d.Kind) {
		return nil
	}
	parsed, err := iam.Parse(d.Data[d.Root.At:d.Root.End])
	if err != nil || len(parsed.Statements) != len(d.Policy.Statements) {
		return nil
	}
	return &candidate{Document: d, parsed: parsed, bucket: d.Bucket()}
}

// assign finds out whose an identity or trust policy is that does not say: theirs whose needs it
// meets at least in part. One that meets none may be anybody's.
func (p *candidate) assign(needs []access.Need) {
	if p.Kind != access.KindIdentity && p.Kind != access.KindTrust || p.says() {
		return
	}
	for _, n := range needs {
		if p.Kind == access.KindTrust && n.On != access.AssumedRole || !p.allowsSome(n) {
			continue
		}
		if p.roles == nil {
			p.roles = map[string]bool{}
		}
		p.roles[p.subject(n)] = true
	}
}

// concernsCaller reports whether the statement may be about the principal of a need, or somebody
// else of its account.
func concernsCaller(s *document.Statement, n access.Need) bool {
	return s.Everyone() != nil || slices.ContainsFunc(s.Principals, func(p document.Principal) bool {
		return p.ID.Text == n.Principal || p.Account() == n.Account
	})
}

// says reports whether the document tells whose it is.
func (p *candidate) says() bool { return p.Written || arn.Is(p.Target) }

// subject is what decides whether the document is about a need.
func (p *candidate) subject(n access.Need) string {
	if p.Kind == access.KindTrust {
		return n.Sample
	}
	return n.Principal
}

// allowsSome reports whether a statement is about the need, whatever its conditions.
func (p *candidate) allowsSome(n access.Need) bool {
	return slices.ContainsFunc(p.Policy.Statements, func(s *document.Statement) bool {
		if s.Effect != "Allow" || !s.Mentions(n.Action) {
			return false
		}
		if p.Kind == access.KindTrust {
			return concernsCaller(s, n)
		}
		return len(s.Resources) == 0 || slices.ContainsFunc(s.Resources, func(r *document.Node) bool { return document.Covers(r.Text, n.Sample) })
	})
}

// belongs reports whether an identity or trust policy is the one that a need is decided by.
func (p *candidate) belongs(n access.Need) bool {
	subject := p.subject(n)
	if p.says() {
		return p.Target == subject
	}
	return p.roles == nil && subject != "" || p.roles[subject]
}

// identities are the identity policies of the caller.
func (a *assessment) identities(n access.Need) (list []*candidate) {
	for _, p := range a.candidates {
		if p.Kind == access.KindIdentity && p.belongs(n) {
			list = append(list, p)
		}
	}
	return list
}

// owned are the policies that may be that of the need's resource. There is more than one when they
// do not say whose they are.
func (a *assessment) owned(n access.Need) (list []*candidate) {
	for _, p := range a.candidates {
		if p.Kind != n.Kind() {
			continue
		}
		ours := false
		switch p.Kind { //nolint:exhaustive // the kinds that a need's resource can have
		case access.KindBucket:
			ours = p.bucket == cmp.Or(n.Holder, arn.BucketOf(n.Sample))
		case access.KindAccessPoint:
			ours = cmp.Or(access.PointOf(p.Target), p.Policy.AccessPoint()) == access.PointOf(n.Sample)
		case access.KindKey:
			ours = a.ofKey(p, n)
		case access.KindTrust:
			ours = p.belongs(n)
		}
		if ours {
			list = append(list, p)
		}
	}
	return list
}

// ofKey reports whether a key policy may be that of the need's key: by its target, by a resource
// that names a key, or by the account that may administer it.
func (a *assessment) ofKey(p *candidate, n access.Need) bool {
	if arn.Is(p.Target) {
		return document.Covers(n.Resource, p.Target)
	}
	if name, ok := strings.CutPrefix(p.Target, "key of "); ok {
		m, _ := a.config.Mapping(n.Mapping)
		source, _ := a.config.Places(m)
		return name == arn.BucketOf(encryptedARN(n)) || n.On == access.SourceKey && name == access.EncryptedSource(source)
	}
	for _, s := range p.Policy.Statements {
		for _, r := range s.Resources {
			if arn.Is(r.Text) {
				return document.Covers(n.Resource, r.Text) || document.Covers(r.Text, n.Sample)
			}
		}
	}
	account := p.OwnAccount(a.config)
	return account == "" || account == n.Owner
}

// encryptedARN is the bucket that a need of a key is for.
func encryptedARN(n access.Need) string {
	context := n.Context[access.EncryptionContext]
	if len(context) == 0 {
		return ""
	}
	return context[0]
}
