package iam

import (
	"strings"
	"unicode/utf8"

	"syncd/internal/arn"
)

// escape makes the next byte of a pattern literal. It is needed for the value of a variable, in
// which * and ? are not wildcards. Parse rejects this byte in documents, so it can only come from a
// variable.
const escape = '\x00'

// wildcards are the wildcard characters of a pattern.
const wildcards = "*?"

// glob is a pattern with * (any sequence of characters) and ? (any one character), and rules that
// determine where these match a colon.
type glob struct {
	pattern string
	fold    bool // ignore the case of ASCII letters
	// free is the index from which wildcards match colons too: the start of the sixth component of
	// an ARN, or 0 for other patterns. Before that index, a * matches colons only at the end of the
	// pattern or, if runOn is true, at the end of a component.
	free  int
	runOn bool
}

func matchAction(pattern, action string) bool {
	return glob{pattern: pattern, fold: true}.match(action)
}

// matchResource follows "IAM JSON policy elements: Resource": a * at the end of a component can
// match past the colon.
func matchResource(pattern, arn string) bool {
	return glob{pattern: pattern, free: resourcePart(pattern), runOn: true}.match(arn)
}

// matchARN follows "IAM JSON policy elements: Condition operators": each of the six components is
// matched separately.
func matchARN(pattern, arn string) bool {
	return glob{pattern: pattern, free: resourcePart(pattern)}.match(arn)
}

func matchText(pattern, text string) bool {
	return glob{pattern: pattern}.match(text)
}

// resourcePart returns the index of the sixth component of an ARN, or len(arn) if the ARN has fewer
// than six components.
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

// complete adds the missing fields of an incomplete ARN: "specifying arn:aws:sqs is equivalent to
// arn:aws:sqs:*:*:*". See "IAM identifiers", IAM ARNs.
func complete(pattern string) string {
	if missing := 5 - strings.Count(pattern, ":"); missing > 0 && arn.Is(pattern) {
		return pattern + strings.Repeat(":*", missing)
	}
	return pattern
}

// serviceField returns the third field of an ARN, or "" if the ARN has fewer than three fields.
func serviceField(arn string) string {
	_, rest, _ := strings.Cut(arn, ":")
	_, rest, _ = strings.Cut(rest, ":")
	service, _, _ := strings.Cut(rest, ":")
	return service
}

// lacksService reports whether the service of an ARN is missing or contains a wildcard.
func lacksService(pattern string) bool {
	service := serviceField(pattern)
	return arn.Is(pattern) && (service == "" || strings.ContainsAny(service, wildcards))
}

// mark is where matching resumes after a mismatch. pattern is the index after a * in the pattern,
// or 0 if there is none; text is the index up to which that * has matched.
type mark struct{ pattern, text int }

// widen makes the * match one more character. It matches a colon only if colons is true.
func (m *mark) widen(text string, colons bool) bool {
	if m.pattern == 0 || m.text == len(text) || !colons && text[m.text] == ':' {
		return false
	}
	m.text += runeLen(text[m.text:])
	return true
}

// match backtracks only to the last *, so that no pattern takes exponential time. In match, near is
// the last * if that * cannot match colons, and far is the last * that can. After a mismatch, match
// widens near. If near has reached a colon or the end of the text, match widens far instead. A *
// matches whole characters; otherwise the pattern *?? could match the bytes of one character.
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

// crosses reports whether the * at p may match colons.
func (g glob) crosses(p int) bool {
	return p >= g.free || p+1 == len(g.pattern) || g.runOn && g.pattern[p+1] == ':'
}

// step matches one element of the pattern that is not a *. It returns the number of bytes matched
// in the pattern and the text, or 0 for no match.
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
