// Package document reads policies so that every fault has a place.
//
// It promises to read what AWS refuses: a text that is not quite JSON is mended as far as it is
// plain what was meant, and each fault is reported; a policy inside what the AWS CLI or `syncd
// policy` prints around it is found, unescaped, with the place of every byte in the file. [Read]
// finds the documents of a file, ReadPolicy reads one and reports what the grammar of policies does
// not allow, and which kind of policy it is.
//
// It leaves to others what the elements mean (lint/element, lint/condition, lint/danger), and the
// strict reading (package iam).
//
// Words to know: a node is a JSON value with its place; a clause is one condition key of a
// statement, with its operator and values.
package document

import (
	"cmp"
	"strings"

	"syncd/internal/access"
)

// Document is one document of a file.
type Document struct {
	source
	Root   *Node // nil when it is no JSON
	part   bool  // it is an object in the text, not all of it
	Kind   access.Kind
	Target string
	// Written is true of what `syncd policy` wrote: it says whose it is, nobody's in particular
	// being the ambient credentials', and of a key it has only what is to be added to the policy
	// that the key has.
	Written bool
	owner   string  // the account that the document belongs into, where `syncd policy` says it
	Faults  []Fault // what keeps the text from being JSON
	Broken  bool    // AWS takes nothing of it
	Policy  *Policy
}

// Read finds what is in a file: a document as it is, or what the AWS CLI prints around one, or what
// `syncd policy` prints around several. Text of which nothing can be read is one document without a
// root.
func Read(f *File) []*Document {
	whole := &source{File: f, Data: f.Data}
	faults, mended := whole.breakages()
	if mended == nil {
		return []*Document{{source: *whole, Kind: f.Kind, Target: f.Target, Faults: faults}}
	}
	root, err := readTree(mended.Data)
	if err != nil {
		panic("BUG: read what was found to be JSON: " + err.Error())
	}
	all := documentsIn(mended, root)
	all[0].Faults = append(faults, all[0].Faults...)
	for _, d := range all {
		d.Broken = d.Broken || len(faults) > 0
	}
	return all
}

func documentsIn(whole *source, root *Node) []*Document {
	f := whole.File
	alone := []*Document{{source: *whole, Root: root, Kind: f.Kind, Target: f.Target}}
	if root.kind != objectNode || root.Find("Statement") != nil {
		return alone
	}
	if all := listed(*whole, root.Find("documents")); len(all) > 0 {
		return all
	}
	for _, w := range wrappers() {
		if inner := root.dig(w.path...); inner != nil {
			d := unwrapped(*whole, inner)
			d.Kind = cmp.Or(f.Kind, w.kind, controlKind(text(root.dig("Policy", "PolicySummary", "Type"))))
			d.Target = cmp.Or(f.Target, text(root.dig(w.target...)))
			return []*Document{d}
		}
	}
	return alone
}

// controlKind is the kind of policy that AWS Organizations calls by a name; "" for none that is
// known here.
func controlKind(name string) access.Kind {
	switch name {
	case "SERVICE_CONTROL_POLICY":
		return access.KindServiceControl
	case "RESOURCE_CONTROL_POLICY":
		return access.KindResourceControl
	}
	return ""
}

// wrapper is where a command of the AWS CLI puts a policy.
type wrapper struct {
	path   []string
	kind   access.Kind // "" when the command is one of several kinds
	target []string
}

func wrappers() []wrapper {
	return []wrapper{
		{path: []string{"Role", "AssumeRolePolicyDocument"}, kind: access.KindTrust, target: []string{"Role", "Arn"}}, // iam get-role
		{path: []string{"AssumeRolePolicyDocument"}, kind: access.KindTrust, target: []string{"Arn"}},                 // one of iam list-roles
		{path: []string{"PolicyVersion", "Document"}, kind: access.KindIdentity},                                      // iam get-policy-version
		{path: []string{"PolicyDocument"}, kind: access.KindIdentity},                                                 // iam get-role-policy
		{path: []string{"Attributes", "Policy"}, kind: access.KindQueue, target: []string{"Attributes", "QueueArn"}},  // sqs get-queue-attributes
		{path: []string{"Policy", "Content"}},                                                                         // organizations describe-policy
		{path: []string{"Policy"}},                                                                                    // s3api get-bucket-policy, kms get-key-policy
	}
}

// listed reads an array of {"kind", "target", "body"}.
func listed(whole source, list *Node) []*Document {
	var all []*Document
	for _, item := range list.list() {
		if body := item.Find("body"); body != nil {
			d := unwrapped(whole, body)
			d.Kind, d.Target = cmp.Or(whole.File.Kind, access.Kind(text(item.Find("kind")))), text(item.Find("target"))
			d.Written, d.owner = true, text(item.Find("account"))
			all = append(all, d)
		}
	}
	return all
}

// unwrapped is the document that a value is, or that a string holds.
func unwrapped(whole source, n *Node) *Document {
	d := &Document{source: whole, Root: n}
	if n.kind == textNode {
		inner := whole.within(n)
		faults, mended := inner.breakages()
		d.Faults, d.Broken, d.Root = faults, len(faults) > 0, nil
		d.source = *inner
		if mended != nil {
			d.source = *mended
			d.Root, _ = readTree(mended.Data)
		}
	} else {
		d.Root, d.part = rooted(n), true
	}
	return d
}

// rooted is the tree with the paths of a document that lies in no other.
func rooted(n *Node) *Node {
	prefix := n.Path
	var cut func(n *Node) *Node
	cut = func(n *Node) *Node {
		c := *n
		c.Path = strings.TrimPrefix(strings.TrimPrefix(n.Path, prefix), ".")
		c.members = nil
		for _, m := range n.members {
			c.members = append(c.members, member{cut(m.name), cut(m.value)})
		}
		c.items = nil
		for _, item := range n.items {
			c.items = append(c.items, cut(item))
		}
		return &c
	}
	return cut(n)
}

// text is what a string says; "" of anything else.
func text(n *Node) string {
	if n == nil || n.kind != textNode {
		return ""
	}
	return n.Text
}
