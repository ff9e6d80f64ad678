package listing

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// levels is the number of positions in a key at which other keys are searched, such as year and
// month, or the first two digits of a number.
const levels = 2

// Next returns the first key after another one. Ok is false if there is none.
type Next func(after string) (key string, ok bool, err error)

// Start is a point where a listing may start: after After, with Key as its first key.
type Start struct{ After, Key string }

// Beyond returns starts after a key at growing distances, up to the last keys, in ascending order.
// For some prefixes of the key it returns the first key outside the prefix, and some samples of the
// rest. A property of keys that share a prefix need not hold for all keys, so a probe must go
// further. Beyond calls next for about 30 keys at most, whatever the keys look like. Floor is the
// length of the prefix that all keys have.
func Beyond(key string, floor int, next Next) ([]Start, error) {
	b := beyond{next: next}
	at := positions(key, floor)
	// The shorter the prefix, the further away is the first key outside it, and the more likely
	// there is none.
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

// beyond searches for keys until an error occurs.
type beyond struct {
	next  Next
	found []Start
	err   error
}

// has reports whether there is a key after start that begins with prefix, and records it.
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

// spread finds keys that begin with prefix and follow rest there. It does a binary search for the
// last rune at that position.
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

// positions returns where the runes of a key begin after the floor.
func positions(key string, floor int) (at []int) {
	for i := range key {
		if r, width := utf8.DecodeRuneInString(key[i:]); r == utf8.RuneError && width == 1 {
			break // a request cannot contain what follows
		}
		if i >= floor {
			at = append(at, i)
		}
	}
	return at
}

// outside returns where the keys begin that no longer share the prefix and the first rune of rest.
// Ok is false if there can be none.
func outside(prefix, rest string) (start string, ok bool) {
	r, _ := utf8.DecodeRuneInString(rest)
	if r++; r == 0xd800 {
		r = 0xe000 // surrogates are not valid in UTF-8
	}
	return prefix + string(r), r <= utf8.MaxRune
}
