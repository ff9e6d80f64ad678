package fault

import "strings"

// maxQuoted is the most bytes of a value that a fault quotes.
const maxQuoted = 200

// eachQuoted replaces each double-quoted string, including its quotes, with the result of change.
func eachQuoted(text string, change func(string) string) string {
	var b strings.Builder
	for {
		begin := strings.IndexByte(text, '"')
		if begin < 0 {
			return b.String() + text
		}
		end := begin + 1
		for end < len(text) && text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end+1, len(text))
		b.WriteString(text[:begin] + change(text[begin:end]))
		text = text[end:]
	}
}

// cut shortens a long quoted value.
func cut(quoted string) string {
	if len(quoted) <= maxQuoted {
		return quoted
	}
	return strings.ToValidUTF8(quoted[:maxQuoted], "") + `..."`
}

// empty replaces a quoted value with "...".
func empty(string) string { return `"..."` }

// WithoutQuoted replaces each double-quoted string in text with "...".
func WithoutQuoted(text string) string { return eachQuoted(text, empty) }
