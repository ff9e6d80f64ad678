package transfer

import (
	"strings"

	"syncd/internal/arn"
)

// CopySource returns the x-amz-copy-source header: bucket and key, with every byte of the key
// percent-encoded except the unreserved characters of RFC 3986 and the slash. The SDK does not
// encode this header. If bucket is the ARN of an access point, /object/ separates it from the key,
// and the ARN is encoded too ("CopyObject", Amazon S3 API Reference).
func CopySource(bucket, key string) string {
	if arn.Is(bucket) {
		return escape("", arn.Object(bucket, key))
	}
	return escape(bucket+"/", key)
}

// escape returns plain unchanged, followed by text in percent-encoding.
func escape(plain, text string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(plain) + len(text))
	b.WriteString(plain)
	for i := range len(text) {
		c := text[i]
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
