// Package ascii has the two questions that the grammars of AWS and of the configuration ask of a
// text: whether it is a word of ASCII letters and digits, and whether it is a number of so many
// digits.
//
// It promises that no character beyond ASCII passes, whatever a locale or Unicode calls a letter or
// a digit. What a word may hold besides, and how long it may be, is left to its callers: the names
// of roles, buckets, tags and regions each have rules of their own.
package ascii

import "strings"

// Word reports whether s is not empty and holds only ASCII letters, digits and the extra
// characters.
func Word(s, extra string) bool {
	other := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(extra, r)
	}
	return s != "" && !strings.ContainsFunc(s, other)
}

// Digits reports whether s is n decimal digits.
func Digits(s string, n int) bool {
	return len(s) == n && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}
