package ranges

import (
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

const (
	// perPage is how many samples a page has at first.
	perPage = 20
	// mostSamples bounds the samples. When there are more, every second one is removed.
	mostSamples = 40_000
	// afterAll is greater than what can follow a prefix, because keys are UTF-8.
	afterAll = "\xff"
)

// samples is a sorted sample of the keys that were listed. It shows which runes follow a prefix,
// and how many pages were listed in an interval of keys.
type samples struct {
	keys  []string
	every int // one of so many keys is a sample; 0 until the first page
	page  int // keys of a full page
}

func newSamples() *samples { return &samples{} }

// begin records the number of keys of a full page.
func (s *samples) begin(page int) {
	if s.page = page; s.every == 0 || len(s.keys) == 0 {
		s.every = max(page/perPage, 1)
	}
}

// add adds samples of one page. No other sample is between them.
func (s *samples) add(keys []string) {
	if len(keys) == 0 {
		return
	}
	s.keys = slices.Insert(s.keys, sort.SearchStrings(s.keys, keys[0]), keys...)
	if len(s.keys) <= mostSamples {
		return
	}
	for i := range len(s.keys) / 2 {
		s.keys[i] = s.keys[2*i]
	}
	s.keys = s.keys[:len(s.keys)/2]
	s.every *= 2
}

// shared returns the number of bytes that all samples have in common at their start.
func (s *samples) shared() int {
	if len(s.keys) == 0 {
		return 0
	}
	return common(s.keys[0], s.keys[len(s.keys)-1])
}

// pages returns how many pages were listed from a key, inclusive, to another, exclusive.
func (s *samples) pages(from, to string) float64 {
	n := sort.SearchStrings(s.keys, to) - sort.SearchStrings(s.keys, from)
	return float64(max(n, 0)*s.every) / float64(max(s.page, 1))
}

// under returns how many pages with a prefix were listed.
func (s *samples) under(prefix string) float64 { return s.pages(prefix, prefix+afterAll) }

// children returns the runes that follow a prefix, up to most of them.
func (s *samples) children(prefix string, most int) (runes runeSet) {
	at := sort.SearchStrings(s.keys, prefix)
	for at < len(s.keys) && strings.HasPrefix(s.keys[at], prefix) && len(runes) < most {
		if len(s.keys[at]) == len(prefix) {
			at++
			continue
		}
		r, size := utf8.DecodeRuneInString(s.keys[at][len(prefix):])
		runes = append(runes, r)
		at += sort.SearchStrings(s.keys[at:], s.keys[at][:len(prefix)+size]+afterAll)
	}
	return runes
}

// after returns the sample with a prefix that so many pages with the prefix precede; "" if fewer
// were listed.
func (s *samples) after(prefix string, pages float64) string {
	at := sort.SearchStrings(s.keys, prefix) + int(pages*float64(s.page))/max(s.every, 1)
	if at < len(s.keys) && strings.HasPrefix(s.keys[at], prefix) {
		return s.keys[at]
	}
	return ""
}
