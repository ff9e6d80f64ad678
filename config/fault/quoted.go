package fault

import "strings"

// maxQuoted is how much of a value a fault repeats.
const maxQuoted = 200

// eachQuoted replaces what is between double quotes, with its quotes, by what change makes of it.
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

// cut shortens a quoted value.
func cut(quoted string) string {
	if len(quoted) <= maxQuoted {
		return quoted
	}
	return strings.ToValidUTF8(quoted[:maxQuoted], "") + `..."`
}

// empty leaves nothing of a quoted value.
func empty(string) string { return `"..."` }

// WithoutQuoted leaves out what a text has between double quotes.
func WithoutQuoted(text string) string { return eachQuoted(text, empty) }
