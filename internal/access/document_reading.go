package access

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// noPolicy says what may be the matter with a document that has no statement.
func (r reader) noPolicy(root *node) {
	fix := "give a policy, or what the AWS CLI prints around one"
	switch {
	case root.find("Version") != nil || root.find("Id") != nil || root.find("Statements") != nil:
		r.members(root, []string{"Version", "Id", "Statement"})
		r.report(missingElement, root, "the policy has no Statement", `add "Statement": [...]`)
		return
	case root.find("Effect") != nil:
		fix = `put the statement into a policy: {"Version": "2012-10-17", "Statement": [...]}`
	}
	r.report(unknownKind, root, "the document has no Statement", fix)
}

// report takes a fault of a value in a document: the id of the rule that finds it, what is wrong, and what to do.
type report func(id string, n *node, message, fix string)

// readPolicy reads what the document says, and reports what the grammar of policies does not allow; what is at fault is left out. It returns
// false for what is no policy.
func (d *document) readPolicy(report report) bool {
	r := reader{report}
	switch {
	case d.root == nil:
		return false
	case d.root.kind == objectNode && d.root.find("Rules") != nil && d.root.find("Statement") == nil:
		d.kind = KindLifecycle
		return false
	case d.root.find("Statement") == nil:
		r.noPolicy(d.root)
		return false
	}
	d.policy = r.readPolicy(d.root)
	if d.kind == "" {
		d.kind = guessKind(d)
	}
	return true
}

// reader reads the elements of a policy.
type reader struct{ report report }

// readPolicy reads a policy, and reports what its grammar does not allow. What is at fault is left out of the result.
func (r reader) readPolicy(root *node) *policy {
	p := &policy{}
	r.members(root, []string{"Version", "Id", "Statement"})
	if v := root.find("Version"); v != nil {
		p.version = v.text
		if v.text != "2012-10-17" && v.text != "2008-10-17" {
			r.report(wrongType, v, fmt.Sprintf("Version is %q, which is no version of the policy language", v.text), `write "2012-10-17"`)
		}
	}
	list := root.find("Statement")
	for _, n := range list.list() {
		if n.kind != objectNode {
			r.report(wrongType, n, "a statement is not an object", `write {"Effect": ..., "Action": ..., ...}`)
			continue
		}
		p.statements = append(p.statements, r.readStatement(n))
	}
	if list != nil && len(list.list()) == 0 {
		r.report(missingElement, list, "the policy has no statement", "write at least one")
	}
	r.repeatedSids(p)
	return p
}

// members reports the members of an object that are unknown or there twice.
func (r reader) members(n *node, known []string) {
	var seen []string
	for _, m := range n.members {
		name := m.name.text
		switch {
		case slices.Contains(seen, name):
			r.report(repeatedElement, m.name, name+" stands twice in one object", "merge the two into one")
		case !slices.Contains(known, name):
			fix := "remove it"
			if meant := nearest(name, slices.Clone(known)); meant != "" {
				fix = "write " + meant
			}
			r.report(unknownElement, m.name, fmt.Sprintf("%q is not an element of a policy at this place", name), fix)
		}
		seen = append(seen, name)
	}
}

func (r reader) readStatement(n *node) *statement {
	known := []string{
		"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
	}
	r.members(n, known)
	s := &statement{node: n, sid: text(n.find("Sid")), effect: text(n.find("Effect"))}
	r.effect(n)
	s.principals, s.notPrincipals = r.principals(n.find("Principal")), r.principals(n.find("NotPrincipal"))
	s.actions, s.notActions = r.texts(n.find("Action")), r.texts(n.find("NotAction"))
	s.resources, s.notResources = r.texts(n.find("Resource")), r.texts(n.find("NotResource"))
	s.clauses = r.conditions(n.find("Condition"))
	for _, name := range []string{"Principal", "Action", "Resource"} {
		if negated := n.find("Not" + name); negated != nil && n.find(name) != nil {
			r.report(repeatedElement, negated, "Not"+name+" stands beside "+name, "keep one of them")
		}
	}
	return s
}

func (r reader) effect(n *node) {
	switch e := n.find("Effect"); {
	case e == nil:
		r.report(missingElement, n, "the statement has no Effect", `add "Effect": "Allow"`)
	case e.kind != textNode || e.text != "Allow" && e.text != "Deny":
		r.report(wrongType, e, fmt.Sprintf("Effect is %q", e.text), "write Allow or Deny, with a capital letter")
	}
}

// texts are the strings of an element that is one or a list of them.
func (r reader) texts(n *node) (list []*node) {
	if n == nil {
		return nil
	}
	if n.kind == arrayNode && len(n.items) == 0 {
		r.report(wrongType, n, "the list is empty", "name at least one, or remove the statement")
	}
	for _, item := range n.list() {
		if item.kind != textNode {
			r.report(wrongType, item, "the value is not a string", "write a string, or a list of strings")
			continue
		}
		list = append(list, item)
	}
	return list
}

func (r reader) principals(n *node) (list []principal) {
	switch {
	case n == nil:
		return nil
	case n.kind == textNode && n.text == "*":
		return []principal{{"AWS", n}}
	case n.kind != objectNode:
		r.report(wrongType, n, "the principal is neither \"*\" nor an object", `write {"AWS": "`+cmp.Or(n.text, "arn:aws:iam::111111111111:role/NAME")+`"}`)
		return nil
	}
	kinds := []string{"AWS", "Service", "Federated", "CanonicalUser"}
	r.members(n, kinds)
	for _, m := range n.members {
		if !slices.Contains(kinds, m.name.text) {
			continue
		}
		for _, id := range r.texts(m.value) {
			list = append(list, principal{m.name.text, id})
		}
	}
	return list
}

func (r reader) conditions(n *node) (list []clause) {
	if n == nil {
		return nil
	}
	if n.kind != objectNode {
		r.report(wrongType, n, "Condition is not an object", `write {"StringEquals": {"key": "value"}}`)
		return nil
	}
	for _, m := range n.members {
		op, ok := parseOperator(m.name.text)
		switch {
		case !ok:
			r.report(unknownOperator, m.name, m.name.text+" is not a condition operator", meantOperator(m.name.text))
		case m.value.kind != objectNode:
			r.report(wrongType, m.value, "the operator has no object of keys", `write {"key": "value"}`)
		default:
			list = append(list, r.clauses(op, m)...)
		}
	}
	return list
}

func (r reader) clauses(op operator, m member) (list []clause) {
	var seen []string
	for _, k := range m.value.members {
		if lower := strings.ToLower(k.name.text); slices.Contains(seen, lower) {
			r.report(repeatedElement, k.name, k.name.text+" stands twice under one operator", "merge the values into one list")
		} else {
			seen = append(seen, lower)
		}
		cl := clause{operator: op, name: m.name, key: k.name}
		if k.value.kind == arrayNode && len(k.value.items) == 0 {
			r.report(wrongType, k.value, "the list of values is empty", "name at least one")
		}
		for _, v := range k.value.list() {
			if v.kind != textNode && v.kind != scalarNode {
				r.report(wrongType, v, "the value is not a string", "write a string, or a list of strings")
				continue
			}
			cl.values = append(cl.values, v)
		}
		list = append(list, cl)
	}
	return list
}

func (r reader) repeatedSids(p *policy) {
	seen := map[string]bool{}
	for _, s := range p.statements {
		if s.sid != "" && seen[s.sid] {
			r.report(repeatedSid, s.find("Sid"), fmt.Sprintf("another statement has the Sid %q", s.sid), "give each its own, or leave it out")
		}
		seen[s.sid] = true
	}
}
