package access

import (
	"encoding/json"
	"fmt"
	"unicode/utf16"
)

// Compact encodes the body as JSON without whitespace. It escapes non-ASCII characters, because IAM
// accepts only characters up to U+00FF, and object keys can contain any character.
func Compact(body json.Marshaler) ([]byte, error) {
	text, err := body.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode document: %w", err)
	}
	return escapeNonASCII(text), nil
}

func escapeNonASCII(text []byte) []byte {
	var b []byte
	for _, r := range string(text) {
		if r < 0x7f {
			b = append(b, byte(r))
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			b = fmt.Appendf(b, `\u%04x`, unit)
		}
	}
	return b
}
