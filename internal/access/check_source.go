package access

import (
	"cmp"
	"strings"
)

// document is one document of a file.
type document struct {
	source
	root   *node // nil when it is no JSON
	part   bool  // it is an object in the text, not all of it
	kind   Kind
	target string
	// written is true of what `syncd policy` wrote: it says whose it is, nobody's in particular being the ambient credentials', and of a
	// key it has only what is to be added to the policy that the key has.
	written bool
	owner   string     // the account that the document belongs into, where `syncd policy` says it
	faults  []breakage // what keeps the text from being JSON
	broken  bool       // AWS takes nothing of it
	policy  *policy
}

// documents finds what is in a file: a document as it is, or what the AWS CLI prints around one, or what `syncd policy` prints around
// several. Text of which nothing can be read is one document without a root.
func documents(f *File) []*document {
	whole := &source{file: f, data: f.Data}
	faults, mended := whole.breakages()
	if mended == nil {
		return []*document{{source: *whole, kind: f.Kind, target: f.Target, faults: faults}}
	}
	root, err := readTree(mended.data)
	if err != nil {
		panic("BUG: read what was found to be JSON: " + err.Error())
	}
	all := documentsIn(mended, root)
	all[0].faults = append(faults, all[0].faults...)
	for _, d := range all {
		d.broken = d.broken || len(faults) > 0
	}
	return all
}

func documentsIn(whole *source, root *node) []*document {
	f := whole.file
	alone := []*document{{source: *whole, root: root, kind: f.Kind, target: f.Target}}
	if root.kind != objectNode || root.find("Statement") != nil {
		return alone
	}
	if all := listed(*whole, root.find("documents")); len(all) > 0 {
		return all
	}
	for _, w := range wrappers() {
		if inner := root.dig(w.path...); inner != nil {
			d := unwrapped(*whole, inner)
			d.kind = cmp.Or(f.Kind, w.kind, controlKind(text(root.dig("Policy", "PolicySummary", "Type"))))
			d.target = cmp.Or(f.Target, text(root.dig(w.target...)))
			return []*document{d}
		}
	}
	return alone
}

// controlKind is the kind of policy that AWS Organizations calls by a name; "" for none that is known here.
func controlKind(name string) Kind {
	switch name {
	case "SERVICE_CONTROL_POLICY":
		return KindServiceControl
	case "RESOURCE_CONTROL_POLICY":
		return KindResourceControl
	}
	return ""
}

// wrapper is where a command of the AWS CLI puts a policy.
type wrapper struct {
	path   []string
	kind   Kind // "" when the command is one of several kinds
	target []string
}

func wrappers() []wrapper {
	return []wrapper{
		{path: []string{"Role", "AssumeRolePolicyDocument"}, kind: KindTrust, target: []string{"Role", "Arn"}}, // iam get-role
		{path: []string{"AssumeRolePolicyDocument"}, kind: KindTrust, target: []string{"Arn"}},                 // one of iam list-roles
		{path: []string{"PolicyVersion", "Document"}, kind: KindIdentity},                                      // iam get-policy-version
		{path: []string{"PolicyDocument"}, kind: KindIdentity},                                                 // iam get-role-policy
		{path: []string{"Attributes", "Policy"}, kind: KindQueue, target: []string{"Attributes", "QueueArn"}},  // sqs get-queue-attributes
		{path: []string{"Policy", "Content"}},                                                                  // organizations describe-policy
		{path: []string{"Policy"}},                                                                             // s3api get-bucket-policy, kms get-key-policy
	}
}

// listed reads an array of {"kind", "target", "body"}.
func listed(whole source, list *node) []*document {
	var all []*document
	for _, item := range list.list() {
		if body := item.find("body"); body != nil {
			d := unwrapped(whole, body)
			d.kind, d.target = cmp.Or(whole.file.Kind, Kind(text(item.find("kind")))), text(item.find("target"))
			d.written, d.owner = true, text(item.find("account"))
			all = append(all, d)
		}
	}
	return all
}

// unwrapped is the document that a value is, or that a string holds.
func unwrapped(whole source, n *node) *document {
	d := &document{source: whole, root: n}
	if n.kind == textNode {
		inner := whole.within(n)
		faults, mended := inner.breakages()
		d.faults, d.broken, d.root = faults, len(faults) > 0, nil
		d.source = *inner
		if mended != nil {
			d.source = *mended
			d.root, _ = readTree(mended.data)
		}
	} else {
		d.root, d.part = rooted(n), true
	}
	return d
}

// rooted is the tree with the paths of a document that lies in no other.
func rooted(n *node) *node {
	prefix := n.path
	var cut func(n *node) *node
	cut = func(n *node) *node {
		c := *n
		c.path = strings.TrimPrefix(strings.TrimPrefix(n.path, prefix), ".")
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
func text(n *node) string {
	if n == nil || n.kind != textNode {
		return ""
	}
	return n.text
}
