package copier

import "strings"

// copySource renders the x-amz-copy-source header: bucket and key, every byte of the key percent-encoded except the
// unreserved characters of RFC 3986 and the slash. The SDK sends the header as it is given.
func copySource(bucket, key string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(bucket) + 1 + len(key))
	b.WriteString(bucket)
	b.WriteByte('/')
	for i := range len(key) {
		c := key[i]
		if unreserved(c) {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

func unreserved(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	default:
		return c == '/' || c == '-' || c == '_' || c == '.' || c == '~'
	}
}
