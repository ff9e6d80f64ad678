package access

import (
	"fmt"
	"strings"
)

// checkSize holds the document to the quotas of "IAM and AWS STS quotas", "Bucket restrictions and limitations", the API reference of
// PutKeyPolicy and "Quotas and service limits for AWS Organizations".
func (c *elementChecker) checkSize() {
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
		over(dense, maxSession, "characters")
	case KindServiceControl, KindResourceControl:
		over(dense, 5120, "characters without whitespace")
	case KindBucket, KindAccessPoint:
		over(whole, maxBucket, "bytes")
	case KindKey:
		over(whole, maxKey, "bytes")
	case KindIdentity:
		over(dense, maxInline, "characters without whitespace")
		if dense > maxManaged && dense <= maxInline {
			c.report(nearlyTooLarge, d.root, fmt.Sprintf("the policy has %d characters without whitespace: more than the %d of a managed policy", dense, maxManaged),
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
