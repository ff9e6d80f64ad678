package ranges

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// level is a position at which the keys that a part has left may differ from its edge. Such a key
// has the bytes of the edge before the position, and then a greater rune. What follows those bytes
// and one rune is called a branch.
type level struct {
	prefix string  // the bytes of the edge before the position
	own    rune    // the rune of the edge
	to     rune    // the greater runes are less than this
	set    runeSet // the greater runes that may occur; nil if any may
	likely int     // how many runes of the set are likely to occur
	count  float64 // how many branches with keys are expected
	each   float64 // pages expected in each
	missed bool    // a bound with the rune to was tried, and no key followed
}

func (l level) pages() float64 { return l.each * l.count }

// pick returns the rune before which a share of the expected branches are.
func (l level) pick(share float64) rune {
	if l.missed {
		share = 0
	}
	if l.set != nil {
		n := share * l.count
		if likely := float64(l.likely); n > likely {
			n = likely + (n-likely)/unlikely
		}
		return l.set[min(int(n), len(l.set)-1)]
	}
	r := l.own + max(rune(share*float64(l.to-l.own)), 1)
	if r >= 0xd800 && r < 0xe000 {
		return 0xe000 // surrogates are not valid in UTF-8
	}
	return r
}

// survey estimates what a part has left, level by level, from the last position to the first.
type survey struct {
	part   *Part
	levels []level
	closed int     // the position at which the edge and the bound differ; -1 without a bound
	shared int     // all samples have so many bytes in common
	known  float64 // pages expected at the levels at which different runes were seen
	left   float64 // pages expected at all levels
	listed float64 // pages that were listed in the branch of the edge
	others float64 // pages that other parts are expected to list there
}

// levels returns the levels of a part, the last position first. Positions after which less than a
// page was listed are left out.
func (p *Part) levels() []level {
	c, first := p.edge, p.run.floor
	s := survey{part: p, closed: -1, shared: p.run.samples.shared()}
	if p.bound != "" {
		s.closed = common(c, p.bound)
		first = s.closed
	}
	for at := len(c); at > first; {
		_, size := utf8.DecodeLastRuneInString(c[:at])
		at -= size
		if at == first || at > first && (at < s.shared || p.run.samples.pages(c[:at], c) >= 1) {
			s.add(at, at+size)
		}
	}
	return s.levels
}

// add adds the level of the rune from one position of the edge to another.
func (s *survey) add(at, end int) {
	p := s.part
	l := level{prefix: p.edge[:at], own: runeAt(p.edge, at), to: anyRune}
	var found siblings
	switch {
	case at >= s.shared:
		s.listed, s.others = p.run.samples.under(p.edge[:end]), p.others(p.edge[:end])
		found = p.siblings(p.edge[:at], p.edge[:end], s.listed)
	case s.listed < p.run.pagesListed():
		s.listed, s.others = p.run.pagesListed(), p.others("")
	}
	if at == s.closed {
		l.to, l.missed = p.until(at), p.missed
	}
	s.expect(&l, &found)
	if l.pages() <= 0 {
		return
	}
	s.levels = append(s.levels, l)
	s.left += l.pages()
	if found.count > 0 {
		s.known += l.pages()
	}
}

// expect sets the number and the size of the branches of a level.
func (s *survey) expect(l *level, found *siblings) {
	p, at := s.part, len(l.prefix)
	branch := s.known + s.listed + s.others
	switch {
	case found.count > 0 && found.ended:
		s.scale(found.average - s.listed - s.others)
		l.each = found.average
	case found.count > 0:
		l.each = max(found.average, branch)
	case at >= s.shared && p.isCounter(at):
		found.count = len(digits) - 1
		l.each = max(branch, 1)
	default:
		l.each = p.weight(at, s.shared) * max(branch, 1)
	}
	if class(l.own) != "" {
		l.expectLetters(p, *found)
	} else {
		l.expectRunes(p.run.alphabet, *found)
	}
}

// scale changes the pages of the levels so far to what the branch has left if it is like its
// siblings.
func (s *survey) scale(left float64) {
	if left <= 0 || s.left <= 0 {
		return
	}
	for i := range s.levels {
		s.levels[i].each *= left / s.left
	}
	s.left, s.known = left, left
}

// until returns the rune that greater runes at the position must be less than because of the bound.
func (p *Part) until(at int) rune {
	r, size := utf8.DecodeRuneInString(p.bound[at:])
	if at+size < len(p.bound) {
		return r + 1
	}
	return r
}

// isCounter reports whether the edge has a digit at the position that follows digits of the same
// number, and different digits were seen at one of them.
func (p *Part) isCounter(at int) bool {
	if !isDigit(p.edge, at) {
		return false
	}
	for at--; at >= p.run.floor && isDigit(p.edge, at); at-- {
		if len(p.run.samples.children(p.edge[:at], 2)) > 1 {
			return true
		}
	}
	return false
}

// How many branches are expected, and how large. The numbers were found by simulations of many
// kinds of keys.
const (
	// fewBranches and perSibling are how many branches are expected if the end is not known: so many
	// for each sibling that was seen, because the number of siblings is not known either.
	fewBranches = 1.5
	perSibling  = 2
	// unlikely is how likely a rune is that was not seen at a place at which the last one was seen.
	unlikely = 0.1
	// notInCalendar is how many dates are expected that do not exist.
	notInCalendar = 0.02
	// otherKind is how many branches are expected after the last letter or digit of a kind.
	otherKind = 0.05
	// firstLetter is how likely the first letter of a word differs if all keys so far have the same.
	firstLetter = 0.15
	// separator is how likely another character differs.
	separator = 0.01
	// afterMiss is how likely there are branches before a rune that was missed.
	afterMiss = 0.05
	// manyRunes is how many runes of a script must occur to expect that others do not.
	manyRunes = 8
)

// expectLetters sets which letters or digits may follow.
func (l *level) expectLetters(p *Part, found siblings) {
	a, at := p.run.alphabet, len(l.prefix)
	l.set = a.choices(p.edge, at).above(l.own).below(l.to)
	l.likely = len(l.set.below(a.limit(p.edge, at)))
	l.count = float64(l.likely) + unlikely*float64(len(l.set)-l.likely)
	group, most := calendar(p.edge, at)
	if group > 0 && most < l.set.last() {
		possible := len(l.set.below(most + 1))
		l.likely = min(l.likely, possible)
		l.count = min(l.count, float64(l.likely)+notInCalendar)
		l.set = l.set[:max(possible, 1)]
	}
	isOpen := l.to == anyRune
	switch {
	case len(l.set) == 0 && isOpen && !a.endsInDigits(p.edge, at):
		l.set, l.count = runeSet{l.own + 1}, otherKind
	case found.count == 0:
		l.count = min(l.count, 1)
	case group == year && isOpen:
		l.count = min(l.count, float64(found.count))
	case isOpen || l.missed:
		l.count = min(l.count, fewBranches+perSibling*float64(found.count))
	}
}

// expectRunes sets which runes that are no ASCII letters or digits may follow.
func (l *level) expectRunes(a *alphabet, found siblings) {
	isOpen := l.to == anyRune
	most := fewBranches + perSibling*float64(found.count)
	further := a.all.above(l.own).below(min(l.to, 2*max(l.own, 64)))
	switch {
	case found.count > 0 && len(further) > 0:
		l.to = further.last() + 1
		if len(further) > manyRunes {
			most = float64(utf8.MaxRune)
		}
	case isOpen:
		l.to = l.own + max(2*(l.own-found.first), 2)
	}
	if found.count > 0 && len(further) == 0 && len(a.all.above(l.own/2).below(l.own)) > manyRunes {
		l.each *= unlikely
	}
	switch {
	case l.to <= l.own+1:
		return
	case found.count == 0:
		l.count, l.to = 1, min(l.to, l.own+2)
		return
	}
	l.count = float64(l.to-l.own-1) / float64(found.gap)
	if isOpen || l.missed {
		l.count = min(l.count, most)
	}
	if l.missed {
		l.count *= afterMiss
	}
}

// weight returns how likely keys differ from the edge at a position, relative to other positions,
// if all keys that have the same bytes before it have the same rune. All samples have so many bytes
// in common.
func (p *Part) weight(at, shared int) float64 {
	r := runeAt(p.edge, at)
	kind := kindOf(r)
	switch {
	case class(r) == digits || at >= shared && p.run.alphabet.varies(p.edge, at):
		return 1
	case kind == other:
		return separator
	}
	n := 1.0
	for before := p.edge[:at]; before != ""; n++ {
		last, size := utf8.DecodeLastRuneInString(before)
		if kindOf(last) != kind {
			break
		}
		before = before[:len(before)-size]
	}
	return firstLetter / (n * n)
}

// kind is a kind of runes that words consist of.
type kind int

const (
	other kind = iota
	letter
	foreign // not in ASCII
	control
)

func kindOf(r rune) kind {
	switch c := class(r); {
	case c == lower || c == upper:
		return letter
	case r >= utf8.RuneSelf:
		return foreign
	case r < ' ':
		return control
	}
	return other
}

// siblings are the branches that differ from a branch only in the last rune.
type siblings struct {
	count   int     // how many were seen
	average float64 // pages expected in each
	ended   bool    // some were listed completely
	first   rune    // the least rune
	gap     rune    // the usual difference between two runes
}

// siblings returns the siblings of the branch of the edge that follows a prefix. So many pages of
// the branch were listed.
func (p *Part) siblings(prefix, branch string, listed float64) (s siblings) {
	all := p.run.samples
	runes := all.children(prefix, mostRunes)
	runes.add(runeAt(branch, len(prefix)), 2*mostRunes)
	s.count = len(runes) - 1
	if s.count == 0 {
		return s
	}
	s.first, s.gap = runes[0], gap(runes)
	total := all.under(prefix) - listed
	var rest, inOpen float64
	open := map[rune]bool{}
	for _, o := range p.run.open {
		if o == p || !o.more || len(o.edge) == len(prefix) || !strings.HasPrefix(o.edge, prefix) || strings.HasPrefix(o.edge, branch) {
			continue
		}
		rest += o.within(len(prefix) + 1)
		r, size := utf8.DecodeRuneInString(o.edge[len(prefix):])
		if !open[r] {
			open[r] = true
			inOpen += all.under(o.edge[:len(prefix)+size])
		}
	}
	s.average = (total + rest) / float64(s.count)
	if ended := float64(s.count - len(open)); ended > 0 {
		s.ended = true
		s.average = max(s.average, (total-inOpen)/ended, (total-inOpen+listed)/(ended+1))
	}
	return s
}

// gap returns the median of the differences between successive runes.
func gap(runes runeSet) rune {
	var gaps []rune
	for i := range len(runes) - 1 {
		gaps = append(gaps, runes[i+1]-runes[i])
	}
	slices.Sort(gaps)
	return gaps[(len(gaps)-1)/2]
}

// others estimates how many pages other parts have left that have a prefix.
func (p *Part) others(prefix string) (pages float64) {
	for _, o := range p.run.open {
		if o != p && strings.HasPrefix(o.edge, prefix) {
			pages += o.within(len(prefix))
		}
	}
	return pages
}

// within estimates how many pages the part has left that have at least so many bytes of its edge.
func (p *Part) within(length int) (pages float64) {
	for _, l := range p.last {
		if len(l.prefix) >= length {
			pages += l.pages()
		}
	}
	return pages
}
