// Package document parses policies and keeps the location of every element.
//
// [Read] finds the documents in a file. A policy can be the whole file, or part of the output of
// the AWS CLI or of `syncd policy`. Read unescapes a policy in such output and maps every byte of
// it to its location in the file. Read also accepts text with JSON faults. It reports each fault,
// and repairs the text if the intention is clear. [Document.ReadPolicy] parses the policy of one
// document, reports violations of the policy grammar and determines the kind of policy.
//
// Other packages check the meaning of elements (lint/element, lint/condition, lint/danger) and
// parse strictly (package iam).
//
// Terms: a node is a JSON value with its location. A clause is one condition key of a statement,
// with its operator and values.
package document

import (
	"cmp"
	"strings"

	"syncd/internal/access"
)

// Document is one document of a file.
type Document struct {
	source
	Root   *Node // nil if the text is not JSON
	part   bool  // the document is one object in the text, not the whole text
	Kind   access.Kind
	Target string
	// Written reports whether `syncd policy` wrote the document. Such a document names the account
	// that owns it, unless it is the document for the ambient credentials. A document for a key
	// contains only statements to add to the existing key policy.
	Written bool
	owner   string  // the account that the document belongs to, if `syncd policy` wrote the document; otherwise ""
	Faults  []Fault // JSON faults of the text
	Broken  bool    // AWS rejects the whole document
	Policy  *Policy
}

// Read returns the documents in a file: a plain document, a document inside AWS CLI output, or the
// documents in the output of `syncd policy`. For text that cannot be repaired, Read returns one
// document whose Root is nil.
func Read(f *File) []*Document {
	whole := &source{File: f, Data: f.Data}
	faults, mended := whole.breakages()
	if mended == nil {
		return []*Document{{source: *whole, Kind: f.Kind, Target: f.Target, Faults: faults}}
	}
	root, err := readTree(mended.Data)
	if err != nil {
		panic("BUG: cannot read a document that passed the check for valid JSON: " + err.Error())
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

// controlKind returns the kind for a policy type of AWS Organizations, or "" if the type is
// unknown.
func controlKind(name string) access.Kind {
	switch name {
	case "SERVICE_CONTROL_POLICY":
		return access.KindServiceControl
	case "RESOURCE_CONTROL_POLICY":
		return access.KindResourceControl
	}
	return ""
}

// wrapper describes where the policy is in the output of an AWS CLI command.
type wrapper struct {
	path   []string
	kind   access.Kind // "" if the command returns several kinds
	target []string
}

func wrappers() []wrapper {
	return []wrapper{
		{path: []string{"Role", "AssumeRolePolicyDocument"}, kind: access.KindTrust, target: []string{"Role", "Arn"}}, // iam get-role
		{path: []string{"AssumeRolePolicyDocument"}, kind: access.KindTrust, target: []string{"Arn"}},                 // one role of iam list-roles
		{path: []string{"PolicyVersion", "Document"}, kind: access.KindIdentity},                                      // iam get-policy-version
		{path: []string{"PolicyDocument"}, kind: access.KindIdentity},                                                 // iam get-role-policy
		{path: []string{"Attributes", "Policy"}, kind: access.KindQueue, target: []string{"Attributes", "QueueArn"}},  // sqs get-queue-attributes
		{path: []string{"Policy", "Content"}},                                                                         // organizations describe-policy
		{path: []string{"Policy"}},                                                                                    // s3api get-bucket-policy, kms get-key-policy
	}
}

// listed returns the documents in an array of {"kind", "target", "body"}.
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

// unwrapped returns the document in the value n. If n is a string, the document is the text in the
// string, otherwise it is n itself.
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

// rooted returns a copy of the tree whose root is n, with paths relative to n.
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

// text returns the contents of a string, or "" for any other value.
func text(n *Node) string {
	if n == nil || n.kind != textNode {
		return ""
	}
	return n.Text
}
