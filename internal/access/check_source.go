package access

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// source is the text of a document, and where its bytes stand in the file: a policy may lie in the file as it is, or within a JSON
// string, or percent-encoded within one.
type source struct {
	file *File
	data []byte
	from []int // the offset in the file of each byte, and of the end; nil when the document is the file
}

// position is the line and the column in the file of a byte of the document. The column counts characters.
func (s *source) position(at int) (line, column int) {
	return s.file.position(s.origin(min(max(at, 0), len(s.data))))
}

// position is the line and the column of a byte of the file. The column counts characters.
func (f *File) position(at int) (line, column int) {
	before := f.Data[:min(at, len(f.Data))]
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}

// within is the document that a string of this one holds, with its escapes undone.
func (s *source) within(n *node) *source {
	inner := &source{file: s.file}
	for i := n.at + 1; i < n.end-1; {
		r, size := unescape(s.data[i:n.end])
		text := utf8.AppendRune(nil, r)
		if size == 1 {
			text = s.data[i : i+1] // a byte of a character, or of what is none
		}
		inner.put(text, s.origin(i))
		i += size
	}
	inner.from = append(inner.from, s.origin(n.end-1))
	if bytes.HasPrefix(bytes.TrimSpace(inner.data), []byte("%7B")) || bytes.HasPrefix(bytes.TrimSpace(inner.data), []byte("%7b")) {
		return inner.percentDecoded()
	}
	return inner
}

// put adds bytes that all come from one place.
func (s *source) put(text []byte, from int) {
	s.data = append(s.data, text...)
	s.from = append(s.from, slices.Repeat([]int{from}, len(text))...)
}

func (s *source) origin(at int) int {
	if s.from == nil {
		return at
	}
	return s.from[at]
}

// unescape reads a character of a JSON string, and says of how many bytes. Of what is no escape it takes a byte.
func unescape(text []byte) (r rune, size int) {
	if text[0] != '\\' || len(text) < 2 {
		return rune(text[0]), 1
	}
	switch text[1] {
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		return unescapeUnit(text)
	}
	return rune(text[1]), 2
}

// unescapeUnit reads \u and four digits, or a pair of them.
func unescapeUnit(text []byte) (r rune, size int) {
	first, ok := hexUnit(text)
	if !ok {
		return utf8.RuneError, 2
	}
	second, ok := hexUnit(text[6:])
	if pair := utf16.DecodeRune(first, second); ok && pair != utf8.RuneError {
		return pair, 12
	}
	return first, 6
}

func hexUnit(text []byte) (rune, bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range text[2:6] {
		digit := strings.IndexByte("0123456789abcdef", lowerHex(c))
		if digit < 0 {
			return 0, false
		}
		r = r<<4 + rune(digit)
	}
	return r, true
}

func lowerHex(c byte) byte {
	if 'A' <= c && c <= 'F' {
		c += 'a' - 'A'
	}
	return c
}

// percentDecoded undoes what IAM's own answers do to a document (RFC 3986, section 2.1); the AWS CLI undoes it itself.
func (s *source) percentDecoded() *source {
	decoded := &source{file: s.file}
	for i := 0; i < len(s.data); {
		c, size := s.data[i], 1
		if c == '%' && i+2 < len(s.data) {
			high := strings.IndexByte("0123456789abcdef", lowerHex(s.data[i+1]))
			low := strings.IndexByte("0123456789abcdef", lowerHex(s.data[i+2]))
			if high >= 0 && low >= 0 {
				c, size = byte(high<<4|low), 3
			}
		}
		decoded.put([]byte{c}, s.from[i])
		i += size
	}
	decoded.from = append(decoded.from, s.from[len(s.data)])
	return decoded
}

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
