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

// IsRole reports whether the principal is a role, or a session of one.
func (p Principal) IsRole() bool {
	kind := arn.Kind(p.ID.Text)
	return p.Kind == "AWS" && (kind == "role" || kind == "assumed-role")
}

// Is compares the name of the clause's key.
func (cl Clause) Is(key string) bool { return strings.EqualFold(cl.Key.Text, key) }

// Demands is true of a clause that only a request with the key passes.
func (cl Clause) Demands() bool {
	return !cl.Negated && !cl.IfExists && cl.Family != "Null" && cl.Set != "ForAllValues"
}

// Guarded reports whether the statement asks that the key be present.
func (s *Statement) Guarded(key string) bool {
	return slices.ContainsFunc(s.Clauses, func(cl Clause) bool {
		asksPresence := cl.Family == "Null" && slices.ContainsFunc(cl.Values, func(v *Node) bool { return v.Text == "false" })
		return cl.Is(key) && (asksPresence || cl.Demands())
	})
}

// Everyone is the principal that stands for the world; nil when there is none.
func (s *Statement) Everyone() *Node {
	for _, p := range s.Principals {
		if p.Kind == "AWS" && p.ID.Text == "*" {
			return p.ID
		}
	}
	return nil
}

// ConcernsAll reports whether a statement that denies is about everyone, but for those whom it or
// its condition spares.
func (s *Statement) ConcernsAll() bool { return s.Everyone() != nil || len(s.NotPrincipals) > 0 }

// OwnAccount is the account that the document's resource belongs to, by the document or by a
// configuration; "" when that is not known.
func (d *Document) OwnAccount(conf *config.Config) string {
	if account := cmp.Or(d.owner, arn.Account(d.Target)); account != "" {
		return account
	}
	switch d.Kind { //nolint:exhaustive // the others are looked at below
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

// accountOfBucket is the account that the configuration says a bucket belongs to; "" when it says
// none.
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

// IsRoot is true of a principal that is a whole account.
func (p Principal) IsRoot() bool {
	a, _ := arn.Split(p.ID.Text)
	return awsname.IsAccount(p.ID.Text) || a.IsRoot()
}

// Account is the account of a principal; "" when its id has none.
func (p Principal) Account() string {
	if awsname.IsAccount(p.ID.Text) {
		return p.ID.Text
	}
	return arn.Account(p.ID.Text)
}

// Mentions reports whether the statement is about an action.
func (s *Statement) Mentions(action string) bool {
	matches := func(a *Node) bool { return Covers(strings.ToLower(a.Text), strings.ToLower(action)) }
	if len(s.NotActions) > 0 {
		return !slices.ContainsFunc(s.NotActions, matches)
	}
	return slices.ContainsFunc(s.Actions, matches)
}

// AccessPoint is the access point that the first resource names that names one.
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

// Bucket is the bucket that a document is about, by its target or its first resource that names
// one.
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

// Policy is a policy as it is read for judging: it takes what AWS refuses, and has the place of
// everything.
type Policy struct {
	Version    string
	Statements []*Statement
}

// Statement is a statement of a policy, as it is written.
type Statement struct {
	Node                      *Node
	Sid, Effect               string
	Principals, NotPrincipals []Principal
	Actions, NotActions       []*Node
	Resources, NotResources   []*Node
	Clauses                   []Clause
}

// Principal is one of a statement's. Of everyone the kind is AWS and the id "*", however it is
// written.
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

// Find is an element of the statement, or the statement itself when it lacks the element.
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

// Allows reports whether a statement allows one of the actions to somebody.
func (p *Policy) Allows(actions ...string) bool {
	return slices.ContainsFunc(p.Statements, func(s *Statement) bool {
		return s.Effect == "Allow" && slices.ContainsFunc(actions, s.Mentions)
	})
}

// HoldsWithout is true of a clause that holds when the request lacks the key.
func (cl Clause) HoldsWithout() bool {
	if cl.Family == "Null" {
		return slices.ContainsFunc(cl.Values, func(v *Node) bool { return v.Text == "true" })
	}
	return cl.Negated || cl.IfExists
}
