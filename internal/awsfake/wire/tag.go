package wire

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a tag ("Tagging your AWS resources").
const (
	maxTagKey   = 128
	MaxTagValue = 256
)

// ValidTag reports whether the length and the characters of a tag are valid in all services.
func ValidTag(key, value string) bool {
	ok := func(s string) bool {
		return !strings.ContainsFunc(s, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsSpace(r) && !strings.ContainsRune("_.:/=+-@", r)
		})
	}
	return key != "" && utf8.RuneCountInString(key) <= maxTagKey && utf8.RuneCountInString(value) <= MaxTagValue &&
		ok(key) && ok(value) && !strings.HasPrefix(strings.ToLower(key), "aws:")
}

// ContainsFold reports whether a list contains a string, ignoring case.
func ContainsFold(list []string, want string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, want) })
}
