package document

import (
	"cmp"
	"slices"
	"strings"

	"syncd/config"
	"syncd/internal/access"
	"syncd/internal/arn"
	"syncd/internal/awsname"
)

// IsRole reports whether the principal is a role or a role session.
func (p Principal) IsRole() bool {
	kind := arn.Kind(p.ID.Text)
	return p.Kind == "AWS" && (kind == "role" || kind == "assumed-role")
}

// Is reports whether the clause has the key.
func (cl Clause) Is(key string) bool { return strings.EqualFold(cl.Key.Text, key) }

// Demands reports whether only requests that contain the key can match the clause.
func (cl Clause) Demands() bool {
	return !cl.Negated && !cl.IfExists && cl.Family != "Null" && cl.Set != "ForAllValues"
}

// Guarded reports whether a condition of the statement requires the key to be present.
func (s *Statement) Guarded(key string) bool {
	return slices.ContainsFunc(s.Clauses, func(cl Clause) bool {
		asksPresence := cl.Family == "Null" && slices.ContainsFunc(cl.Values, func(v *Node) bool { return v.Text == "false" })
		return cl.Is(key) && (asksPresence || cl.Demands())
	})
}

// Everyone returns the principal * of the statement, or nil if there is none.
func (s *Statement) Everyone() *Node {
	for _, p := range s.Principals {
		if p.Kind == "AWS" && p.ID.Text == "*" {
			return p.ID
		}
	}
	return nil
}

// ConcernsAll reports whether a Deny applies to everyone except the principals that its
// NotPrincipal or its condition exempts.
func (s *Statement) ConcernsAll() bool { return s.Everyone() != nil || len(s.NotPrincipals) > 0 }

// OwnAccount returns the account that the document's resource belongs to, according to the document
// or the configuration. It returns "" if neither names the account.
func (d *Document) OwnAccount(conf *config.Config) string {
	if account := cmp.Or(d.owner, arn.Account(d.Target)); account != "" {
		return account
	}
	switch d.Kind { //nolint:exhaustive // key policies are handled below, and for other kinds the account is unknown
	case access.KindBucket:
		return accountOfBucket(conf, d.Bucket())
	case access.KindAccessPoint:
		return arn.Account(d.Policy.AccessPoint())
	}
	if d.Kind != access.KindKey {
		return ""
	}
	for _, s := range d.Policy.Statements {
		for _, p := range s.Principals {
			if s.Effect == "Allow" && p.IsRoot() {
				return p.Account()
			}
		}
	}
	return ""
}

// accountOfBucket returns the account of a bucket according to the configuration, or "" if unknown.
func accountOfBucket(conf *config.Config, bucket string) string {
	if conf == nil || bucket == "" {
		return ""
	}
	for _, m := range conf.Mappings {
		source, destination := conf.Places(m)
		switch bucket {
		case source.Holder():
			return source.Account
		case destination.Bucket:
			return destination.Account
		}
	}
	return ""
}

// IsRoot reports whether the principal is a whole account, given as its ID or as the ARN of its
// root.
func (p Principal) IsRoot() bool {
	a, _ := arn.Split(p.ID.Text)
	return awsname.IsAccount(p.ID.Text) || a.IsRoot()
}

// Account returns the account of a principal, or "" if its ID contains none.
func (p Principal) Account() string {
	if awsname.IsAccount(p.ID.Text) {
		return p.ID.Text
	}
	return arn.Account(p.ID.Text)
}

// Mentions reports whether the statement applies to an action.
func (s *Statement) Mentions(action string) bool {
	matches := func(a *Node) bool { return Covers(strings.ToLower(a.Text), strings.ToLower(action)) }
	if len(s.NotActions) > 0 {
		return !slices.ContainsFunc(s.NotActions, matches)
	}
	return slices.ContainsFunc(s.Actions, matches)
}

// AccessPoint returns the ARN of the access point in the first resource that names one, or "" if
// none does.
func (p *Policy) AccessPoint() string {
	for _, s := range p.Statements {
		for _, r := range slices.Concat(s.Resources, s.NotResources) {
			if point := access.PointOf(r.Text); point != "" {
				return point
			}
		}
	}
	return ""
}

// Bucket returns the name of the bucket that the document applies to, from its target or from the
// first resource that names a bucket. It returns "" if there is none.
func (d *Document) Bucket() string {
	switch {
	case arn.Is(d.Target):
		return arn.BucketOf(d.Target)
	case d.Target != "":
		return d.Target
	}
	for _, s := range d.Policy.Statements {
		for _, r := range slices.Concat(s.Resources, s.NotResources) {
			if name := arn.BucketOf(r.Text); name != "" && !access.IsPattern(name) {
				return name
			}
		}
	}
	return ""
}

// Policy is a policy parsed for checking, with the location of every element. It can contain
// elements that AWS rejects.
type Policy struct {
	Version    string
	Statements []*Statement
}

// Statement is a statement of a policy, as written.
type Statement struct {
	Node                      *Node
	Sid, Effect               string
	Principals, NotPrincipals []Principal
	Actions, NotActions       []*Node
	Resources, NotResources   []*Node
	Clauses                   []Clause
}

// Principal is a principal of a statement. If the principal is everyone, Kind is "AWS" and ID is
// the text "*", whichever notation the policy uses.
type Principal struct {
	Kind string
	ID   *Node
}

// Clause is one key of a condition.
type Clause struct {
	Operator
	Name, Key *Node
	Values    []*Node
}

// Find returns the first of the named elements of the statement, or the statement itself if it has
// none of them.
func (s *Statement) Find(names ...string) *Node {
	for _, name := range names {
		if n := s.Node.Find(name); n != nil {
			return n
		}
	}
	return s.Node
}

// Has reports whether the statement has an element.
func (s *Statement) Has(name string) bool { return s.Node.Find(name) != nil }

// Allows reports whether an Allow statement of the policy applies to at least one of the actions,
// for whatever principal.
func (p *Policy) Allows(actions ...string) bool {
	return slices.ContainsFunc(p.Statements, func(s *Statement) bool {
		return s.Effect == "Allow" && slices.ContainsFunc(actions, s.Mentions)
	})
}

// HoldsWithout reports whether the clause matches if the request lacks the key.
func (cl Clause) HoldsWithout() bool {
	if cl.Family == "Null" {
		return slices.ContainsFunc(cl.Values, func(v *Node) bool { return v.Text == "true" })
	}
	return cl.Negated || cl.IfExists
}
