package access

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"syncd/internal/iam"
)

// guessKind finds out what a policy is for by what it says: with principals it belongs to a resource, whose service is that of most
// actions; without it is an identity policy, unless the file's name says otherwise.
func guessKind(d *document) Kind {
	if k := kindByName(d.file.Name); k.ofOrganization() {
		return k
	}
	named := false
	count := map[string]int{}
	for _, s := range d.policy.statements {
		named = named || s.has("Principal") || s.has("NotPrincipal")
		for _, a := range append(s.actions, s.notActions...) {
			service, _, _ := strings.Cut(strings.ToLower(a.text), ":")
			count[service] += 2
		}
		for _, r := range append(s.resources, s.notResources...) {
			count[parseARN(r.text).service]++
		}
	}
	if !named {
		return kindByName(d.file.Name)
	}
	best := Kind("")
	for _, k := range []Kind{KindTrust, KindBucket, KindKey, KindQueue} {
		if n := count[k.service()]; n > 0 && (best == "" || n > count[best.service()]) {
			best = k
		}
	}
	switch {
	case best == "":
		return kindByName(d.file.Name)
	case best == KindBucket && d.policy.accessPoint() != "":
		return KindAccessPoint
	}
	return best
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

// kindByName reads words of the file's name, for policies that lack what they are known by.
func kindByName(name string) Kind {
	base := strings.ToLower(filepath.Base(name))
	for _, w := range []struct {
		word string
		kind Kind
	}{
		{"trust", KindTrust},
		{"assume-role-policy", KindTrust},
		{"access-point-policy", KindAccessPoint},
		{"bucket-policy", KindBucket},
		{"key-policy", KindKey},
		{"queue-policy", KindQueue},
		{"session-policy", KindSession},
	} {
		if strings.Contains(base, w.word) {
			return w.kind
		}
	}
	for _, word := range strings.FieldsFunc(base, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if word == string(KindServiceControl) || word == string(KindResourceControl) {
			return Kind(word)
		}
	}
	return KindIdentity
}

// checkSize holds the document to the quotas of "IAM and AWS STS quotas", "Bucket restrictions and limitations", the API reference of
// PutKeyPolicy and "Quotas and service limits for AWS Organizations".
func (c *checker) checkSize() {
	d := c.d
	whole := d.root.end - d.root.at
	dense := denseSize(d.data[d.root.at:d.root.end])
	over := func(size, limit int, unit string) {
		fix := "write fewer statements: name prefixes in place of keys, and split what belongs to several roles"
		if d.kind == KindTrust && size <= 4096 {
			fix += "; or have the quota of the account raised, to 4096 at most"
		}
		if size > limit {
			c.report(tooLarge, d.root, fmt.Sprintf("%s of %d %s, where AWS takes %d", d.kind.policyOf(), size, unit, limit), fix)
		}
	}
	switch d.kind {
	case KindTrust, KindSession:
		over(dense, 2048, "characters")
	case KindServiceControl, KindResourceControl:
		over(dense, 5120, "characters without whitespace")
	case KindBucket, KindAccessPoint:
		over(whole, 20*1024, "bytes")
	case KindKey:
		over(whole, 32*1024, "bytes")
	case KindIdentity:
		over(dense, 10240, "characters without whitespace")
		if dense > 6144 && dense <= 10240 {
			c.report(nearlyTooLarge, d.root, fmt.Sprintf("the policy has %d characters without whitespace: more than the 6144 of a managed policy", dense),
				"attach it as an inline policy, or split it")
		}
	case KindQueue, KindLifecycle:
	}
}

// denseSize counts the characters of a text without whitespace outside of strings.
func denseSize(data []byte) int {
	size, inText, escaped := 0, false, false
	for _, r := range string(data) {
		switch {
		case escaped:
			escaped = false
		case inText && r == '\\':
			escaped = true
		case r == '"':
			inText = !inText
		}
		if inText || !strings.ContainsRune(" \t\r\n", r) {
			size++
		}
	}
	return size
}

// checkRefused asks the strict reading of package iam whether anything is left that no other rule has found: what is refused must not
// pass for being in order.
func (c *checker) checkRefused(before int) {
	for _, f := range c.findings[before:] {
		if f.Severity == SeverityError {
			return
		}
	}
	d := c.d
	text := d.data[d.root.at:d.root.end]
	parsed, err := iam.Parse(text)
	if err == nil && d.kind != KindResourceControl {
		err = parsed.CheckKind(d.kind.ruled())
	}
	if err == nil {
		return
	}
	at, message := 0, err.Error()
	if syntax, ok := errors.AsType[*iam.SyntaxError](err); ok {
		at, message = byteAt(text, syntax.Line, syntax.Column), strings.TrimPrefix(syntax.Path+" "+syntax.Problem, " ")
	}
	c.reportAt(refused, d.root.at+at, message, "see the grammar of the IAM policy language")
}

// byteAt is where a line and a column in bytes are, as far as they are known.
func byteAt(text []byte, line, column int) int {
	at := 0
	for range line - 1 {
		at += bytes.IndexByte(text[at:], '\n') + 1
	}
	return at + max(column-1, 0)
}
