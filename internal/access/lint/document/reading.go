package document

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"syncd/internal/access"
	"syncd/internal/access/lint/catalogue"
)

// noPolicy reports that a document has no Statement element, with a fix for the likely cause.
func (r reader) noPolicy(root *Node) {
	fix := "provide a policy, or AWS CLI output that contains one"
	switch {
	case root.Find("Version") != nil || root.Find("Id") != nil || root.Find("Statements") != nil:
		r.members(root, []string{"Version", "Id", "Statement"})
		r.report(MissingElement, root, "the policy has no Statement", `add "Statement": [...]`)
		return
	case root.Find("Effect") != nil:
		fix = `put the statement into a policy: {"Version": "2012-10-17", "Statement": [...]}`
	}
	r.report(unknownKind, root, "the document has no Statement", fix)
}

// Report reports a finding about the value n in a document. id is the ID of the rule, message says
// what is wrong, and fix says what to do.
type Report func(id string, n *Node, message, fix string)

// ReadPolicy reads the policy in the document into d.Policy and reports violations of the policy
// grammar. It omits invalid elements from d.Policy. ReadPolicy returns false if the document is not
// a policy.
func (d *Document) ReadPolicy(report Report) bool {
	r := reader{report}
	switch {
	case d.Root == nil:
		return false
	case d.Root.kind == objectNode && d.Root.Find("Rules") != nil && d.Root.Find("Statement") == nil:
		d.Kind = access.KindLifecycle
		return false
	case d.Root.Find("Statement") == nil:
		r.noPolicy(d.Root)
		return false
	}
	d.Policy = r.readPolicy(d.Root)
	if d.Kind == "" {
		d.Kind = guessKind(d)
	}
	return true
}

// reader reads the elements of a policy.
type reader struct{ report Report }

// readPolicy reads a policy and reports violations of its grammar. It omits invalid elements from
// the result.
func (r reader) readPolicy(root *Node) *Policy {
	p := &Policy{}
	r.members(root, []string{"Version", "Id", "Statement"})
	if v := root.Find("Version"); v != nil {
		p.Version = v.Text
		if v.Text != "2012-10-17" && v.Text != "2008-10-17" {
			r.report(WrongType, v, fmt.Sprintf("Version is %q, which is not a version of the policy language", v.Text), `write "2012-10-17"`)
		}
	}
	list := root.Find("Statement")
	for _, n := range list.list() {
		if n.kind != objectNode {
			r.report(WrongType, n, "a statement is not an object", `write {"Effect": ..., "Action": ..., ...}`)
			continue
		}
		p.Statements = append(p.Statements, r.readStatement(n))
	}
	if list != nil && len(list.list()) == 0 {
		r.report(MissingElement, list, "the policy has no statement", "write at least one statement")
	}
	r.repeatedSids(p)
	return p
}

// members reports unknown and duplicate members of an object.
func (r reader) members(n *Node, known []string) {
	var seen []string
	for _, m := range n.members {
		name := m.name.Text
		switch {
		case slices.Contains(seen, name):
			r.report(repeatedElement, m.name, name+" appears twice in the same object", "merge the two elements")
		case !slices.Contains(known, name):
			fix := "remove it"
			if meant := catalogue.Nearest(name, known); meant != "" {
				fix = "write " + meant
			}
			r.report(unknownElement, m.name, fmt.Sprintf("%q is not a valid element here", name), fix)
		}
		seen = append(seen, name)
	}
}

func (r reader) readStatement(n *Node) *Statement {
	known := []string{
		"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
	}
	r.members(n, known)
	s := &Statement{Node: n, Sid: text(n.Find("Sid")), Effect: text(n.Find("Effect"))}
	r.effect(n)
	s.Principals, s.NotPrincipals = r.principals(n.Find("Principal")), r.principals(n.Find("NotPrincipal"))
	s.Actions, s.NotActions = r.texts(n.Find("Action")), r.texts(n.Find("NotAction"))
	s.Resources, s.NotResources = r.texts(n.Find("Resource")), r.texts(n.Find("NotResource"))
	s.Clauses = r.conditions(n.Find("Condition"))
	for _, name := range []string{"Principal", "Action", "Resource"} {
		if negated := n.Find("Not" + name); negated != nil && n.Find(name) != nil {
			r.report(repeatedElement, negated, "Not"+name+" is used together with "+name, "keep one of them")
		}
	}
	return s
}

func (r reader) effect(n *Node) {
	switch e := n.Find("Effect"); {
	case e == nil:
		r.report(MissingElement, n, "the statement has no Effect", `add "Effect": "Allow"`)
	case e.kind != textNode || e.Text != "Allow" && e.Text != "Deny":
		r.report(WrongType, e, fmt.Sprintf("Effect is %q", e.Text), "write Allow or Deny, with a capital letter")
	}
}

// texts returns the strings of an element, which is one string or a list of strings.
func (r reader) texts(n *Node) (list []*Node) {
	if n == nil {
		return nil
	}
	if n.kind == arrayNode && len(n.items) == 0 {
		r.report(WrongType, n, "the list is empty", "add at least one value, or remove the statement")
	}
	for _, item := range n.list() {
		if item.kind != textNode {
			r.report(WrongType, item, "the value is not a string", "write a string, or a list of strings")
			continue
		}
		list = append(list, item)
	}
	return list
}

func (r reader) principals(n *Node) (list []Principal) {
	switch {
	case n == nil:
		return nil
	case n.kind == textNode && n.Text == "*":
		return []Principal{{"AWS", n}}
	case n.kind != objectNode:
		r.report(WrongType, n, "the principal is neither \"*\" nor an object", `write {"AWS": "`+cmp.Or(n.Text, "arn:aws:iam::111111111111:role/NAME")+`"}`)
		return nil
	}
	kinds := []string{"AWS", "Service", "Federated", "CanonicalUser"}
	r.members(n, kinds)
	for _, m := range n.members {
		if !slices.Contains(kinds, m.name.Text) {
			continue
		}
		for _, id := range r.texts(m.value) {
			list = append(list, Principal{m.name.Text, id})
		}
	}
	return list
}

func (r reader) conditions(n *Node) (list []Clause) {
	if n == nil {
		return nil
	}
	if n.kind != objectNode {
		r.report(WrongType, n, "Condition is not an object", `write {"StringEquals": {"key": "value"}}`)
		return nil
	}
	for _, m := range n.members {
		op, ok := parseOperator(m.name.Text)
		switch {
		case !ok:
			r.report(unknownOperator, m.name, m.name.Text+" is not a condition operator", meantOperator(m.name.Text))
		case m.value.kind != objectNode:
			r.report(WrongType, m.value, "the operator has no object with keys", `write {"key": "value"}`)
		default:
			list = append(list, r.clauses(op, m)...)
		}
	}
	return list
}

func (r reader) clauses(op Operator, m member) (list []Clause) {
	var seen []string
	for _, k := range m.value.members {
		if lower := strings.ToLower(k.name.Text); slices.Contains(seen, lower) {
			r.report(repeatedElement, k.name, k.name.Text+" appears twice under the same operator", "merge the values into one list")
		} else {
			seen = append(seen, lower)
		}
		cl := Clause{Operator: op, Name: m.name, Key: k.name}
		if k.value.kind == arrayNode && len(k.value.items) == 0 {
			r.report(WrongType, k.value, "the list of values is empty", "add at least one value")
		}
		for _, v := range k.value.list() {
			if v.kind != textNode && v.kind != scalarNode {
				r.report(WrongType, v, "the value is not a string", "write a string, or a list of strings")
				continue
			}
			cl.Values = append(cl.Values, v)
		}
		list = append(list, cl)
	}
	return list
}

func (r reader) repeatedSids(p *Policy) {
	seen := map[string]bool{}
	for _, s := range p.Statements {
		if s.Sid != "" && seen[s.Sid] {
			r.report(repeatedSid, s.Find("Sid"), fmt.Sprintf("another statement has the Sid %q", s.Sid), "use unique Sids, or omit the Sid")
		}
		seen[s.Sid] = true
	}
}
