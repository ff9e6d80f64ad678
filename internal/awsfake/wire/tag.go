package wire

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of a tag ("Tagging your AWS resources").
const (
	maxTagKey   = 128
	MaxTagValue = 256
)

// ValidTag reports whether a tag is within the limits and alphabet that services share.
func ValidTag(key, value string) bool {
	ok := func(s string) bool {
		return !strings.ContainsFunc(s, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsSpace(r) && !strings.ContainsRune("_.:/=+-@", r)
		})
	}
	return key != "" && utf8.RuneCountInString(key) <= maxTagKey && utf8.RuneCountInString(value) <= MaxTagValue &&
		ok(key) && ok(value) && !strings.HasPrefix(strings.ToLower(key), "aws:")
}

// ContainsFold reports whether a text is in a list, without regard to case.
func ContainsFold(list []string, want string) bool {
	return slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(s, want) })
}
