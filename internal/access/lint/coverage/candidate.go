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

// candidate is a document that AWS would accept and that the assessment uses to decide needs.
type candidate struct {
	*document.Document
	parsed *iam.Document
	bucket string // the bucket that a bucket policy belongs to
	// roles contains the ARNs of the subjects that the document is assumed to belong to: principals
	// for an identity policy, and roles for a trust policy. If roles is nil, the document can
	// belong to any principal or role.
	roles map[string]bool
}

// newCandidate returns the candidate for a document. It returns nil if AWS would reject the
// document, and for a session policy or a policy of AWS Organizations.
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

// assign sets p.roles for an identity or trust policy that does not name its principal or role. The
// policy is assumed to belong to the subjects of all needs that one of its statements allows,
// ignoring conditions. If it allows none of the needs, it can belong to any principal or role.
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

// concernsCaller reports whether the statement names everyone, the need's principal, or another
// principal of the need's account.
func concernsCaller(s *document.Statement, n access.Need) bool {
	return s.Everyone() != nil || slices.ContainsFunc(s.Principals, func(p document.Principal) bool {
		return p.ID.Text == n.Principal || p.Account() == n.Account
	})
}

// says reports whether the document itself names the principal or resource that it belongs to.
func (p *candidate) says() bool { return p.Written || arn.Is(p.Target) }

// subject returns the ARN that links a need to a document: for a trust policy the role that is
// assumed, for any other policy the principal.
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

// belongs reports whether the identity or trust policy belongs to the subject of the need.
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

// ofKey reports whether p may be the policy of the key that the need is for. If the policy's target
// is an ARN, ofKey compares it with the need's resource. If the target is "key of" and a bucket,
// ofKey compares that bucket with the bucket of the need. Without such a target, ofKey compares the
// first ARN in the policy's resources with the need's resource or, if there is no ARN, the policy's
// account with the key's owner.
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

// encryptedARN returns the ARN in the encryption context of a need for a key, or "" if the need has
// none.
func encryptedARN(n access.Need) string {
	context := n.Context[access.EncryptionContext]
	if len(context) == 0 {
		return ""
	}
	return context[0]
}
