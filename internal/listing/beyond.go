package listing

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// levels is the number of positions at which Beyond varies a key to find other keys, such as the
// year and the month, or the first two digits of a number.
const levels = 2

// Next returns the first key that follows the key after in key order. The result ok is false if
// there is none.
type Next func(after string) (key string, ok bool, err error)

// Start is a point at which a listing can start. A listing that starts after the key After has Key
// as its first key.
type Start struct{ After, Key string }

// Beyond returns points after key at which a listing can start, in ascending order. Their distances
// from key grow, up to the last keys of the bucket. Beyond cuts key to shorter and shorter
// prefixes. For some of these prefixes it returns the first key that sorts after all keys with the
// prefix, and a few of the keys after that key. Keys that share a prefix can have properties that
// other keys lack, so a probe must also test keys far away. Beyond calls next about 30 times at
// most, for any set of keys. The parameter floor is the length in bytes of the prefix that all keys
// have.
func Beyond(key string, floor int, next Next) ([]Start, error) {
	b := beyond{next: next}
	at := positions(key, floor)
	// A shorter prefix has more keys. Therefore the first key outside a shorter prefix is further
	// away, and more often does not exist.
	first := sort.Search(len(at), func(i int) bool {
		start, ok := outside(key[:at[i]], key[at[i]:])
		return ok && b.has(start, "")
	})
	for _, i := range at[first:min(first+levels, len(at))] {
		b.spread(key[:i], key[i:])
	}
	slices.SortFunc(b.found, func(a, b Start) int { return strings.Compare(a.Key, b.Key) })
	return slices.CompactFunc(b.found, func(a, b Start) bool { return a.Key == b.Key }), b.err
}

// beyond is a search for keys. After the first error it finds no more keys.
type beyond struct {
	next  Next
	found []Start
	err   error
}

// has reports whether the first key after start begins with prefix, and records that key if it
// does.
func (b *beyond) has(start, prefix string) bool {
	if b.err != nil {
		return false
	}
	key, ok, err := b.next(start)
	b.err = err
	if ok = ok && strings.HasPrefix(key, prefix); ok {
		b.found = append(b.found, Start{start, key})
	}
	return ok
}

// spread records keys that begin with prefix and come after prefix+rest. It finds them by a binary
// search for the last rune that follows prefix in any key.
func (b *beyond) spread(prefix, rest string) {
	if b.err != nil {
		return
	}
	least, _ := utf8.DecodeRuneInString(rest)
	from, to := int(least)+1, utf8.RuneSelf
	if int(least) >= utf8.RuneSelf || b.has(prefix+string(rune(utf8.RuneSelf-1)), prefix) {
		from, to = max(from, utf8.RuneSelf), utf8.MaxRune+1
	}
	sort.Search(to-from, func(i int) bool { return !b.has(prefix+string(rune(from+i)), prefix) })
}

// positions returns the byte offsets in key, from floor on, at which a rune begins.
func positions(key string, floor int) (at []int) {
	for i := range key {
		if r, width := utf8.DecodeRuneInString(key[i:]); r == utf8.RuneError && width == 1 {
			break // a request cannot contain bytes that are not UTF-8
		}
		if i >= floor {
			at = append(at, i)
		}
	}
	return at
}

// outside returns the lower bound of the keys that begin with prefix and continue with a rune
// greater than the first rune of rest. The result ok is false if no greater rune exists.
func outside(prefix, rest string) (start string, ok bool) {
	r, _ := utf8.DecodeRuneInString(rest)
	if r++; r == 0xd800 {
		r = 0xe000 // surrogates are not valid in UTF-8
	}
	return prefix + string(r), r <= utf8.MaxRune
}
