package ranges

import (
	"slices"
	"unicode/utf8"
)

const (
	digits    = "0123456789"
	hexDigits = "0123456789abcdef"
	hexUpper  = "0123456789ABCDEF"
	lower     = "abcdefghijklmnopqrstuvwxyz"
	upper     = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	// anyRune is greater than every rune.
	anyRune = utf8.MaxRune + 1
)

// runeSet is a set of runes, ascending.
type runeSet []rune

// add adds a rune unless the set has as many as most.
func (s *runeSet) add(r rune, most int) {
	if i, found := slices.BinarySearch(*s, r); !found && len(*s) < most {
		*s = slices.Insert(*s, i, r)
	}
}

// addAll adds ASCII characters.
func (s *runeSet) addAll(characters string) {
	for _, r := range characters {
		s.add(r, utf8.MaxRune)
	}
}

// above returns those greater than a rune.
func (s runeSet) above(r rune) runeSet {
	i, _ := slices.BinarySearch(s, r+1)
	return s[i:]
}

// below returns those less than a rune.
func (s runeSet) below(r rune) runeSet {
	i, _ := slices.BinarySearch(s, r)
	return s[:i]
}

// between returns those from a rune to another, both included.
func (s runeSet) between(first, last rune) runeSet { return s.above(first - 1).below(last + 1) }

// last returns the greatest, 0 if there is none.
func (s runeSet) last() rune {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1]
}

// class returns the ASCII characters of the same kind as r: the digits, the lower case letters or
// the upper case letters; "" if r is none of them.
func class(r rune) string {
	switch {
	case r >= '0' && r <= '9':
		return digits
	case r >= 'a' && r <= 'z':
		return lower
	case r >= 'A' && r <= 'Z':
		return upper
	}
	return ""
}

// isDigit reports whether the byte of a key is a decimal digit.
func isDigit(key string, at int) bool {
	return at < len(key) && key[at] >= '0' && key[at] <= '9'
}

// runeAt returns the rune at a byte position of a key.
func runeAt(key string, at int) rune {
	r, _ := utf8.DecodeRuneInString(key[at:])
	return r
}

// common returns the number of bytes that two keys have in common at their start, up to the start
// of a rune.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && (n < len(a) && !utf8.RuneStart(a[n]) || n < len(b) && !utf8.RuneStart(b[n])) {
		n--
	}
	return n
}
