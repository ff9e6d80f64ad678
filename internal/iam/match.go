package iam

import (
	"strings"
	"unicode/utf8"

	"syncd/internal/arn"
)

// escape makes the next byte of a pattern stand for itself. A variable's value may hold * and ?,
// which are then no wildcards. Parse refuses the byte in a document, so that nothing but a replaced
// variable brings it.
const escape = '\x00'

// wildcards are the characters of a pattern that stand for others.
const wildcards = "*?"

// glob is a pattern of * (any run of characters) and ? (any one character), with the rules for
// where they may match a colon.
type glob struct {
	pattern string
	fold    bool // without regard to the case of ASCII letters
	// free is the index from which wildcards match colons like anything else: 0 unless the pattern
	// is an ARN, else where its sixth component starts. Before it a * that ends the pattern covers
	// the rest, and so does one that ends a component when runOn is set.
	free  int
	runOn bool
}

func matchAction(pattern, action string) bool {
	return glob{pattern: pattern, fold: true}.match(action)
}

// matchResource follows "IAM JSON policy elements: Resource": a * that is the last character of a
// component may run on past the colon.
func matchResource(pattern, arn string) bool {
	return glob{pattern: pattern, free: resourcePart(pattern), runOn: true}.match(arn)
}

// matchARN follows "IAM JSON policy elements: Condition operators": each of the six components is
// checked separately.
func matchARN(pattern, arn string) bool {
	return glob{pattern: pattern, free: resourcePart(pattern)}.match(arn)
}

func matchText(pattern, text string) bool {
	return glob{pattern: pattern}.match(text)
}

// resourcePart is where the sixth component of an ARN starts; len(arn) when it has fewer.
func resourcePart(arn string) int {
	at := 0
	for range 5 {
		i := strings.IndexByte(arn[at:], ':')
		if i < 0 {
			return len(arn)
		}
		at += i + 1
	}
	return at
}

// complete fills the missing fields of an ARN cut short: "specifying arn:aws:sqs is equivalent to
// arn:aws:sqs:*:*:*". See "IAM identifiers", IAM ARNs.
func complete(pattern string) string {
	if missing := 5 - strings.Count(pattern, ":"); missing > 0 && arn.Is(pattern) {
		return pattern + strings.Repeat(":*", missing)
	}
	return pattern
}

// serviceField is the third field of an ARN, "" when it has fewer.
func serviceField(arn string) string {
	_, rest, _ := strings.Cut(arn, ":")
	_, rest, _ = strings.Cut(rest, ":")
	service, _, _ := strings.Cut(rest, ":")
	return service
}

// lacksService is true of an ARN whose service is missing or has a wildcard.
func lacksService(pattern string) bool {
	service := serviceField(pattern)
	return arn.Is(pattern) && (service == "" || strings.ContainsAny(service, wildcards))
}

// mark is where matching resumes after a mismatch: behind a *, with that * covering the text up to
// text.
type mark struct{ pattern, text int }

// widen lets the * cover one more character, a colon only if it may.
func (m *mark) widen(text string, colons bool) bool {
	if m.pattern == 0 || m.text == len(text) || !colons && text[m.text] == ':' {
		return false
	}
	m.text += runeLen(text[m.text:])
	return true
}

// match goes back to the last * only, not to all of them, so that no pattern takes exponential
// time. There are two kinds of last *: a near one, which stops at a colon, and a far one, tried
// when the near one is exhausted (for good: it stands at a colon, or at the end). Both take whole
// characters, else the pattern *?? would find two of them in the three bytes of one.
func (g glob) match(text string) bool {
	if g.pattern == "*" {
		return true
	}
	var near, far mark
	for p, t := 0, 0; p < len(g.pattern) || t < len(text); {
		if p < len(g.pattern) && g.pattern[p] == '*' {
			if near = (mark{p + 1, t}); g.crosses(p) {
				near, far = mark{}, near
			}
			p++
			continue
		}
		dp, dt := g.step(p, text[t:])
		switch {
		case dp > 0:
			p, t = p+dp, t+dt
		case near.widen(text, false):
			p, t = near.pattern, near.text
		case far.widen(text, true):
			p, t = far.pattern, far.text
		default:
			return false
		}
	}
	return true
}

// crosses reports whether the * at p may cover colons.
func (g glob) crosses(p int) bool {
	return p >= g.free || p+1 == len(g.pattern) || g.runOn && g.pattern[p+1] == ':'
}

// step matches one element of the pattern that is not a *, and says how many bytes of the pattern
// and of the text it took; 0 if none.
func (g glob) step(p int, text string) (dp, dt int) {
	if p == len(g.pattern) || text == "" {
		return 0, 0
	}
	c := g.pattern[p]
	switch {
	case c == '?' && p < g.free && text[0] == ':':
		return 0, 0
	case c == '?':
		return 1, runeLen(text)
	case c == escape && p+1 < len(g.pattern):
		if g.pattern[p+1] == text[0] {
			return 2, 1
		}
		return 0, 0
	case c == text[0] || g.fold && lower(c) == lower(text[0]):
		return 1, 1
	}
	return 0, 0
}

func runeLen(text string) int {
	_, n := utf8.DecodeRuneInString(text)
	return n
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
