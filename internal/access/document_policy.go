package access

import (
	"cmp"
	"slices"
	"strings"

	"syncd/config"
)

func (p principal) isRole() bool {
	a := parseARN(p.id.text)
	return p.kind == "AWS" && (strings.HasPrefix(a.resource, "role/") || strings.HasPrefix(a.resource, "assumed-role/"))
}

// is compares the name of the clause's key.
func (cl clause) is(key string) bool { return strings.EqualFold(cl.key.text, key) }

// demands is true of a clause that only a request with the key passes.
func (cl clause) demands() bool {
	return !cl.negated && !cl.ifExists && cl.family != "Null" && cl.set != "ForAllValues"
}

// guarded reports whether the statement asks that the key be present.
func (s *statement) guarded(key string) bool {
	return slices.ContainsFunc(s.clauses, func(cl clause) bool {
		asksPresence := cl.family == "Null" && slices.ContainsFunc(cl.values, func(v *node) bool { return v.text == "false" })
		return cl.is(key) && (asksPresence || cl.demands())
	})
}

// everyone is the principal that stands for the world; nil when there is none.
func (s *statement) everyone() *node {
	for _, p := range s.principals {
		if p.kind == "AWS" && p.id.text == "*" {
			return p.id
		}
	}
	return nil
}

// concernsAll reports whether a statement that denies is about everyone, but for those whom it or its condition spares.
func (s *statement) concernsAll() bool { return s.everyone() != nil || len(s.notPrincipals) > 0 }

// ownAccount is the account that the document's resource belongs to, by the document or by a configuration; "" when that is not known.
func (d *document) ownAccount(conf *config.Config) string {
	if account := cmp.Or(d.owner, accountOf(d.target)); account != "" {
		return account
	}
	switch d.kind { //nolint:exhaustive // the others are looked at below
	case KindBucket:
		return accountOfBucket(conf, d.bucket())
	case KindAccessPoint:
		return accountOf(d.policy.accessPoint())
	}
	if d.kind != KindKey {
		return ""
	}
	for _, s := range d.policy.statements {
		for _, p := range s.principals {
			if s.effect == "Allow" && p.isRoot() {
				return p.account()
			}
		}
	}
	return ""
}

// accountOfBucket is the account that the configuration says a bucket belongs to; "" when it says none.
func accountOfBucket(conf *config.Config, bucket string) string {
	if conf == nil || bucket == "" {
		return ""
	}
	for _, m := range conf.Mappings {
		switch bucket {
		case m.Source.Holder():
			return m.Source.Account
		case m.Destination.Bucket:
			return m.Destination.Account
		}
	}
	return ""
}

// isRoot is true of a principal that is a whole account.
func (p principal) isRoot() bool {
	return isAccount(p.id.text) || strings.HasSuffix(p.id.text, ":root")
}

// account is the account of a principal; "" when its id has none.
func (p principal) account() string {
	if isAccount(p.id.text) {
		return p.id.text
	}
	return accountOf(p.id.text)
}

// mentions reports whether the statement is about an action.
func (s *statement) mentions(action string) bool {
	matches := func(a *node) bool { return covers(strings.ToLower(a.text), strings.ToLower(action)) }
	if len(s.notActions) > 0 {
		return !slices.ContainsFunc(s.notActions, matches)
	}
	return slices.ContainsFunc(s.actions, matches)
}

// accessPoint is the access point that the first resource names that names one.
func (p *policy) accessPoint() string {
	for _, s := range p.statements {
		for _, r := range slices.Concat(s.resources, s.notResources) {
			if point := pointOf(r.text); point != "" {
				return point
			}
		}
	}
	return ""
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

// policy is a policy as it is read for judging: it takes what AWS refuses, and remembers where everything stands.
type policy struct {
	version    string
	statements []*statement
}

type statement struct {
	node                      *node
	sid, effect               string
	principals, notPrincipals []principal
	actions, notActions       []*node
	resources, notResources   []*node
	clauses                   []clause
}

// principal is one of a statement's. Of everyone the kind is AWS and the id "*", however it is written.
type principal struct {
	kind string
	id   *node
}

// clause is one key of a condition.
type clause struct {
	operator
	name, key *node
	values    []*node
}

// find is an element of the statement, or the statement itself when it lacks the element.
func (s *statement) find(names ...string) *node {
	for _, name := range names {
		if n := s.node.find(name); n != nil {
			return n
		}
	}
	return s.node
}

func (s *statement) has(name string) bool { return s.node.find(name) != nil }

// allows reports whether a statement allows one of the actions to somebody.
func (p *policy) allows(actions ...string) bool {
	return slices.ContainsFunc(p.statements, func(s *statement) bool {
		return s.effect == "Allow" && slices.ContainsFunc(actions, s.mentions)
	})
}

// holdsWithout is true of a clause that holds when the request lacks the key.
func (cl clause) holdsWithout() bool {
	if cl.family == "Null" {
		return slices.ContainsFunc(cl.values, func(v *node) bool { return v.text == "true" })
	}
	return cl.negated || cl.ifExists
}
