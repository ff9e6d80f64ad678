package element

import (
	"fmt"
	"strings"

	"syncd/internal/access"
)

// checkSize checks the size of the document against the quotas in "IAM and AWS STS quotas", "Bucket
// restrictions and limitations", the API reference of PutKeyPolicy, and "Quotas and service limits
// for AWS Organizations".
func (c *checker) checkSize() {
	d := c.d
	whole := d.Root.End - d.Root.At
	dense := denseSize(d.Data[d.Root.At:d.Root.End])
	over := func(size, limit int, unit string) {
		fix := "reduce the number of statements: name prefixes instead of keys, and split the policy among several roles"
		if d.Kind == access.KindTrust && size <= 4096 {
			fix += "; or request a higher quota for the account, up to 4096"
		}
		if size > limit {
			c.report(tooLarge, d.Root, fmt.Sprintf("%s has %d %s, but AWS allows %d", d.Kind.WithArticle(), size, unit, limit), fix)
		}
	}
	switch d.Kind {
	case access.KindTrust, access.KindSession:
		over(dense, access.MaxSession, "characters")
	case access.KindServiceControl, access.KindResourceControl:
		over(dense, 5120, "characters without whitespace")
	case access.KindBucket, access.KindAccessPoint:
		over(whole, access.MaxBucket, "bytes")
	case access.KindKey:
		over(whole, access.MaxKey, "bytes")
	case access.KindIdentity:
		over(dense, access.MaxInline, "characters without whitespace")
		if dense > access.MaxManaged && dense <= access.MaxInline {
			c.report(nearlyTooLarge, d.Root, fmt.Sprintf("the policy has %d characters without whitespace: more than the %d of a managed policy", dense, access.MaxManaged),
				"attach it as an inline policy, or split it")
		}
	case access.KindQueue, access.KindLifecycle:
	}
}

// denseSize returns the number of characters in a JSON text, without whitespace outside strings.
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
