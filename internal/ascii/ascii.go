// Package ascii has two tests for text in the grammars of AWS and of the configuration: whether it
// is a word of ASCII letters and digits, and whether it consists of a given number of digits.
//
// Only ASCII letters and digits count, regardless of locale and Unicode categories. Callers decide
// which other characters are allowed and how long a word may be: names of roles, buckets, tags and
// regions have different rules.
package ascii

import "strings"

// Word reports whether s is not empty and contains only ASCII letters, digits and the characters in
// extra.
func Word(s, extra string) bool {
	other := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(extra, r)
	}
	return s != "" && !strings.ContainsFunc(s, other)
}

// Digits reports whether s consists of n decimal digits.
func Digits(s string, n int) bool {
	return len(s) == n && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
