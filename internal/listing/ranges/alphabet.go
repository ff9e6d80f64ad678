package ranges

import (
	"slices"
	"unicode/utf8"
)

const (
	// mostRunes bounds the runes that are kept for one place.
	mostRunes = 512
	// mostPlaces bounds the places that are kept.
	mostPlaces = 50_000
	// someRunes is how many letters must occur in a word with digits until all letters are expected.
	someRunes = 6
)

// place is a position of the keys, and the shape of the runes before it. The shape 0 stands for all
// places at the position.
type place struct {
	at    int // in runes
	shape shape
}

// shape is a hash of runes. All digits count as the same, except a digit that is the last rune.
type shape uint64

const emptyShape shape = 14695981039346656037

// shapeOf returns the shape of a string.
func shapeOf(s string) shape {
	h, last := emptyShape, rune(0)
	for _, r := range s {
		h, last = h.add(last), r
	}
	return h.end(last)
}

func (h shape) add(r rune) shape {
	if class(r) == digits {
		r = '0'
	}
	return h.end(r)
}

func (h shape) end(r rune) shape { return (h ^ shape(r)) * 1099511628211 }

func placeOf(key string, position int) place {
	return place{utf8.RuneCountInString(key[:position]), shapeOf(key[:position])}
}

// follow is what is known about the runes that occur at a place.
type follow struct {
	runes   runeSet
	wrapped bool // a key with one of these runes was followed by a key that differs before the place
	missed  rune // no key had this rune or a greater one; 0 if that is not known
}

// alphabet is a sample of the runes that occur in the keys, by place.
type alphabet struct {
	places map[place]*follow
	all    runeSet
}

func newAlphabet() *alphabet { return &alphabet{places: map[place]*follow{}} }

// add adds the runes of a key that differ from the previous key of the page, "" if it is the first.
func (a *alphabet) add(previous, key string) {
	same := common(previous, key)
	a.each(key, same, func(f *follow, r rune) {
		f.runes.add(r, mostRunes)
		a.all.add(r, 4*mostRunes)
	})
	if same < len(previous) {
		_, size := utf8.DecodeRuneInString(previous[same:])
		a.each(previous, same+size, func(f *follow, _ rune) { f.wrapped = true })
	}
}

// each calls do for the runes of a key from a byte position on, with what is known about their
// places.
func (a *alphabet) each(key string, from int, do func(*follow, rune)) {
	h, last, at := emptyShape, rune(0), 0
	for i, r := range key {
		if i >= from {
			do(a.at(place{at, h.end(last)}), r)
			do(a.at(place{at: at}), r)
		}
		h, last = h.add(last), r
		at++
	}
}

// get returns what is known about a place.
func (a *alphabet) get(p place) follow {
	if f := a.places[p]; f != nil {
		return *f
	}
	return follow{}
}

// at returns what is known about a place, to be changed.
func (a *alphabet) at(p place) *follow {
	f := a.places[p]
	if f == nil {
		f = &follow{}
		if len(a.places) < mostPlaces {
			a.places[p] = f
		}
	}
	return f
}

// miss records that no key follows a bound.
func (a *alphabet) miss(bound string) {
	r, size := utf8.DecodeLastRuneInString(bound)
	if f := a.at(placeOf(bound, len(bound)-size)); f.missed == 0 || r < f.missed {
		f.missed = r
	}
}

// varies reports whether different runes were seen at the place.
func (a *alphabet) varies(key string, position int) bool {
	return len(a.get(placeOf(key, position)).runes) > 1
}

// limit returns the rune from which on runes are not likely to occur at the place.
func (a *alphabet) limit(key string, position int) rune {
	f := a.get(placeOf(key, position))
	switch last := f.runes.last(); {
	case f.wrapped && len(f.runes) > 1:
		return last + 1
	case last > 0 && f.missed > last:
		return f.missed
	}
	return anyRune
}

// endsInDigits reports whether the greatest rune that was seen at the position is a digit.
func (a *alphabet) endsInDigits(key string, position int) bool {
	f := a.get(place{at: utf8.RuneCountInString(key[:position])})
	return class(f.runes.last()) == digits
}

// choices returns the runes that may occur at the position instead of the letter or digit there.
// They include runes that were not seen: all digits or letters of the same kind, and the letters of
// hexadecimal numbers or of words in which letters and digits are mixed.
func (a *alphabet) choices(key string, position int) runeSet {
	own := runeAt(key, position)
	set := slices.Clone(a.get(place{at: utf8.RuneCountInString(key[:position])}).runes)
	word := a.word(key, position)
	small, large := word.between('a', 'z'), word.between('A', 'Z')
	hasDigits := len(word.between('0', '9')) > 2
	switch {
	case hasDigits && len(small) > 2 && small.last() <= 'f' && own <= 'f':
		set.addAll(hexDigits)
		return set
	case hasDigits && len(small) == 0 && len(large) > 2 && large.last() <= 'F':
		set.addAll(hexUpper)
		return set
	}
	set.addAll(class(own))
	if hasDigits && len(small) > someRunes {
		set.addAll(lower)
	}
	if hasDigits && len(large) > someRunes {
		set.addAll(upper)
	}
	return set
}

// word returns the runes that were seen at the position, and at those positions of the same word at
// which different runes were seen. A word is letters and digits.
func (a *alphabet) word(key string, position int) (set runeSet) {
	first, last := position, position
	for first > 0 && class(rune(key[first-1])) != "" {
		first--
	}
	for last < len(key) && class(rune(key[last])) != "" {
		last++
	}
	at := utf8.RuneCountInString(key[:first])
	for i := first; i < last; i++ {
		if seen := a.get(place{at: at + i - first}).runes; len(seen) > 1 || i == position {
			for _, r := range seen {
				set.add(r, mostRunes)
			}
		}
	}
	return set
}
