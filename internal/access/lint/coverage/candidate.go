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

// candidate is a document that AWS would accept and that is used to decide needs.
type candidate struct {
	*document.Document
	parsed *iam.Document
	bucket string          // the bucket that a bucket policy belongs to
	roles  map[string]bool // ARNs of the principals, or for a trust policy of the roles, that the document is assumed to belong to; nil for all
}

// newCandidate returns the candidate for a document. It returns nil for a document that AWS would
// reject, or of a kind that is not used to decide needs.
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

// assign sets the principals or roles that an identity or trust policy is assumed to belong to, if
// the document does not name them: the subjects of all needs that one of its statements allows,
// ignoring conditions. If it allows none of the needs, it may belong to any principal or role.
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

// concernsCaller reports whether the statement may apply to the principal of a need, or to another
// principal of its account.
func concernsCaller(s *document.Statement, n access.Need) bool {
	return s.Everyone() != nil || slices.ContainsFunc(s.Principals, func(p document.Principal) bool {
		return p.ID.Text == n.Principal || p.Account() == n.Account
	})
}

// says reports whether the document names the principal or resource that it belongs to.
func (p *candidate) says() bool { return p.Written || arn.Is(p.Target) }

// subject returns the name that links a need to a document: the role for a trust policy, otherwise
// the principal.
func (p *candidate) subject(n access.Need) string {
	if p.Kind == access.KindTrust {
		return n.Sample
	}
	return n.Principal
}

// allowsSome reports whether a statement allows the need, ignoring its conditions.
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

// belongs reports whether an identity or trust policy decides the need.
func (p *candidate) belongs(n access.Need) bool {
	subject := p.subject(n)
	if p.says() {
		return p.Target == subject
	}
	return p.roles == nil && subject != "" || p.roles[subject]
}

// identities returns the identity policies of the need's principal.
func (a *assessment) identities(n access.Need) (list []*candidate) {
	for _, p := range a.candidates {
		if p.Kind == access.KindIdentity && p.belongs(n) {
			list = append(list, p)
		}
	}
	return list
}

// owned returns the policies that may be attached to the need's resource. There can be several if
// the documents do not name their resource.
func (a *assessment) owned(n access.Need) (list []*candidate) {
	for _, p := range a.candidates {
		if p.Kind != n.Kind() {
			continue
		}
		ours := false
		switch p.Kind { //nolint:exhaustive // the kinds of a need's resource
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

// ofKey reports whether p may be the policy of the key that the need is for. It compares the target
// of the policy or, if that names no key, the first ARN in its resources or, if there is none, the
// account that owns the key.
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

// encryptedARN returns the ARN in the encryption context of a need for a key.
func encryptedARN(n access.Need) string {
	context := n.Context[access.EncryptionContext]
	if len(context) == 0 {
		return ""
	}
	return context[0]
}
