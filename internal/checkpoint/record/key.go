package record

import (
	"encoding/hex"
	"fmt"
	"unicode/utf8"
)

// keyText is a key in JSON. Keys can contain arbitrary bytes, but JSON strings cannot. Therefore a
// byte that is not part of valid UTF-8 is written as \xNN, and a backslash is doubled.
type keyText string

// MarshalText escapes bytes that JSON cannot represent.
func (k keyText) MarshalText() ([]byte, error) {
	out := make([]byte, 0, len(k))
	for i, width := 0, 0; i < len(k); i += width {
		var r rune
		r, width = utf8.DecodeRuneInString(string(k[i:]))
		switch {
		case r == utf8.RuneError && width == 1:
			out = fmt.Appendf(out, `\x%02x`, k[i])
		case r == '\\':
			out = append(out, `\\`...)
		default:
			out = append(out, k[i:i+width]...)
		}
	}
	return out, nil
}

// UnmarshalText reverses MarshalText.
func (k *keyText) UnmarshalText(text []byte) error {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			out = append(out, text[i])
			continue
		}
		rest := text[i+1:]
		switch {
		case len(rest) >= 1 && rest[0] == '\\':
			out, i = append(out, '\\'), i+1
		case len(rest) >= 3 && rest[0] == 'x':
			b, err := hex.DecodeString(string(rest[1:3]))
			if err != nil {
				return fmt.Errorf("decode key %q: %w", text, err)
			}
			out, i = append(out, b[0]), i+3
		default:
			return fmt.Errorf("decode key %q: unknown escape", text)
		}
	}
	*k = keyText(out)
	return nil
}

// Below returns a key just below the given one. The Range{Below(key), key} has few keys besides key.
func Below(key string) string {
	last := len(key) - 1
	if last < 0 || key[last] == 0 {
		return key[:max(last, 0)]
	}
	return key[:last] + string([]byte{key[last] - 1, 0xff})
}
