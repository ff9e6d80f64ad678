package value

import (
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"syncd/internal/hint"
)

// Glob is a pattern for keys: * and ? stay within one segment between slashes, ** spans any number
// of segments, [a-z] and {a,b} match alternatives, and \ makes the next character literal. A key
// that ends in a slash has an empty last segment, which only ** matches. The zero Glob matches
// nothing.
type Glob struct{ pattern string }

// ParseGlob checks a pattern.
func ParseGlob(pattern string) (Glob, error) {
	switch {
	case pattern == "" || !doublestar.ValidatePattern(pattern):
		return Glob{}, hint.New(strconv.Quote(pattern)+" is not a glob", "use *, **, ?, [a-z] and {a,b}, and \\ before a literal one")
	case !starsStandAlone(pattern):
		// Such a ** would match like *, that is, fewer keys than the author intended, and no one
		// would notice that the other keys are not copied.
		return Glob{}, hint.New(strconv.Quote(pattern)+" has ** next to other characters", "put it between slashes, as in **/*.csv")
	}
	return Glob{pattern}, nil
}

// starsStandAlone reports whether every ** is a whole segment, or a whole alternative in braces, as
// in {**,a}/b.
func starsStandAlone(pattern string) bool {
	edge := func(b byte) bool { return strings.IndexByte("/{,}", b) >= 0 }
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '\\':
			i++
		case strings.HasPrefix(pattern[i:], "**"):
			end := i + 2
			if i > 0 && !edge(pattern[i-1]) || end < len(pattern) && !edge(pattern[end]) {
				return false
			}
			i++
		}
	}
	return true
}

// Match reports whether the pattern matches the whole key. The key is relative to the source's
// prefix.
func (g Glob) Match(key string) bool {
	return g.pattern != "" && doublestar.MatchUnvalidated(g.pattern, key)
}

// String returns the pattern as written.
func (g Glob) String() string { return g.pattern }

// MarshalText writes the pattern.
func (g Glob) MarshalText() ([]byte, error) { return []byte(g.pattern), nil }

// UnmarshalText reads what ParseGlob reads.
func (g *Glob) UnmarshalText(text []byte) (err error) {
	*g, err = ParseGlob(string(text))
	return err
}
