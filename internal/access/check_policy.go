package access

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

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

// readPolicy reads a policy, and reports what its grammar does not allow. What is at fault is left out of the result.
func (c *checker) readPolicy(root *node) *policy {
	p := &policy{}
	c.members(root, []string{"Version", "Id", "Statement"})
	if v := root.find("Version"); v != nil {
		p.version = v.text
		if v.text != "2012-10-17" && v.text != "2008-10-17" {
			c.report(wrongType, v, fmt.Sprintf("Version is %q, which is no version of the policy language", v.text), `write "2012-10-17"`)
		}
	}
	list := root.find("Statement")
	for _, n := range list.list() {
		if n.kind != objectNode {
			c.report(wrongType, n, "a statement is not an object", `write {"Effect": ..., "Action": ..., ...}`)
			continue
		}
		p.statements = append(p.statements, c.readStatement(n))
	}
	if list != nil && len(list.list()) == 0 {
		c.report(missingElement, list, "the policy has no statement", "write at least one")
	}
	c.repeatedSids(p)
	return p
}

// members reports the members of an object that are unknown or there twice.
func (c *checker) members(n *node, known []string) {
	var seen []string
	for _, m := range n.members {
		name := m.name.text
		switch {
		case slices.Contains(seen, name):
			c.report(repeatedElement, m.name, name+" stands twice in one object", "merge the two into one")
		case !slices.Contains(known, name):
			fix := "remove it"
			if meant := nearest(name, slices.Clone(known)); meant != "" {
				fix = "write " + meant
			}
			c.report(unknownElement, m.name, fmt.Sprintf("%q is not an element of a policy at this place", name), fix)
		}
		seen = append(seen, name)
	}
}

func (c *checker) readStatement(n *node) *statement {
	known := []string{
		"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
	}
	c.members(n, known)
	s := &statement{node: n, sid: text(n.find("Sid")), effect: text(n.find("Effect"))}
	c.effect(n)
	s.principals, s.notPrincipals = c.principals(n.find("Principal")), c.principals(n.find("NotPrincipal"))
	s.actions, s.notActions = c.texts(n.find("Action")), c.texts(n.find("NotAction"))
	s.resources, s.notResources = c.texts(n.find("Resource")), c.texts(n.find("NotResource"))
	s.clauses = c.conditions(n.find("Condition"))
	for _, name := range []string{"Principal", "Action", "Resource"} {
		if negated := n.find("Not" + name); negated != nil && n.find(name) != nil {
			c.report(repeatedElement, negated, "Not"+name+" stands beside "+name, "keep one of them")
		}
	}
	return s
}

func (c *checker) effect(n *node) {
	switch e := n.find("Effect"); {
	case e == nil:
		c.report(missingElement, n, "the statement has no Effect", `add "Effect": "Allow"`)
	case e.kind != textNode || e.text != "Allow" && e.text != "Deny":
		c.report(wrongType, e, fmt.Sprintf("Effect is %q", e.text), "write Allow or Deny, with a capital letter")
	}
}

// texts are the strings of an element that is one or a list of them.
func (c *checker) texts(n *node) (list []*node) {
	if n == nil {
		return nil
	}
	if n.kind == arrayNode && len(n.items) == 0 {
		c.report(wrongType, n, "the list is empty", "name at least one, or remove the statement")
	}
	for _, item := range n.list() {
		if item.kind != textNode {
			c.report(wrongType, item, "the value is not a string", "write a string, or a list of strings")
			continue
		}
		list = append(list, item)
	}
	return list
}

func (c *checker) principals(n *node) (list []principal) {
	switch {
	case n == nil:
		return nil
	case n.kind == textNode && n.text == "*":
		return []principal{{"AWS", n}}
	case n.kind != objectNode:
		c.report(wrongType, n, "the principal is neither \"*\" nor an object", `write {"AWS": "`+cmp.Or(n.text, "arn:aws:iam::111111111111:role/NAME")+`"}`)
		return nil
	}
	kinds := []string{"AWS", "Service", "Federated", "CanonicalUser"}
	c.members(n, kinds)
	for _, m := range n.members {
		if !slices.Contains(kinds, m.name.text) {
			continue
		}
		for _, id := range c.texts(m.value) {
			list = append(list, principal{m.name.text, id})
		}
	}
	return list
}

func (c *checker) conditions(n *node) (list []clause) {
	if n == nil {
		return nil
	}
	if n.kind != objectNode {
		c.report(wrongType, n, "Condition is not an object", `write {"StringEquals": {"key": "value"}}`)
		return nil
	}
	for _, m := range n.members {
		op, ok := parseOperator(m.name.text)
		switch {
		case !ok:
			c.report(unknownOperator, m.name, m.name.text+" is not a condition operator", c.meantOperator(m.name.text))
		case m.value.kind != objectNode:
			c.report(wrongType, m.value, "the operator has no object of keys", `write {"key": "value"}`)
		default:
			list = append(list, c.clauses(op, m)...)
		}
	}
	return list
}

func (c *checker) clauses(op operator, m member) (list []clause) {
	var seen []string
	for _, k := range m.value.members {
		if lower := strings.ToLower(k.name.text); slices.Contains(seen, lower) {
			c.report(repeatedElement, k.name, k.name.text+" stands twice under one operator", "merge the values into one list")
		} else {
			seen = append(seen, lower)
		}
		cl := clause{operator: op, name: m.name, key: k.name}
		if k.value.kind == arrayNode && len(k.value.items) == 0 {
			c.report(wrongType, k.value, "the list of values is empty", "name at least one")
		}
		for _, v := range k.value.list() {
			if v.kind != textNode && v.kind != scalarNode {
				c.report(wrongType, v, "the value is not a string", "write a string, or a list of strings")
				continue
			}
			cl.values = append(cl.values, v)
		}
		list = append(list, cl)
	}
	return list
}

func (c *checker) repeatedSids(p *policy) {
	seen := map[string]bool{}
	for _, s := range p.statements {
		if s.sid != "" && seen[s.sid] {
			c.report(repeatedSid, s.find("Sid"), fmt.Sprintf("another statement has the Sid %q", s.sid), "give each its own, or leave it out")
		}
		seen[s.sid] = true
	}
}
