package hint

import (
	"slices"
	"strings"
)

// OneOf is the hint for a word that is none of words: the one it was likely meant to be, or all of
// them.
func OneOf(word string, words []string) string {
	if meant := DidYouMean(word, words); meant != "" {
		return meant
	}
	return "use one of " + strings.Join(words, ", ")
}

// DidYouMean is a hint at the word most like the given one, "" when none is like it.
func DidYouMean(word string, words []string) string {
	if near := Nearest(word, words); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

// Meant returns the one of words that an abbreviated or mistyped word was likely meant to be: the
// only one that begins so, where that is more than a letter or two, else the nearest; "" when none
// is like it.
func Meant(word string, words []string) string {
	const begun = 3
	begins := func(w string) bool { return strings.HasPrefix(w, strings.ToLower(word)) }
	if i := slices.IndexFunc(words, begins); i >= 0 && len(word) >= begun && !slices.ContainsFunc(words[i+1:], begins) {
		return words[i]
	}
	return Nearest(word, words)
}

// Nearest returns the one of words that a mistyped word was most likely meant to be, "" when none
// is like it.
func Nearest(word string, words []string) string { return NearestWithin(word, words, 1+len(word)/3) }

// NearestWithin returns the first of those words that are most like the given one, with at most so
// many characters changed; "" for none.
func NearestWithin(word string, words []string, most int) (best string) {
	bestDistance := most
	for _, w := range words {
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d <= bestDistance && (best == "" || d < bestDistance) {
			best, bestDistance = w, d
		}
	}
	return best
}

// distance is the Levenshtein distance of a and b, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
