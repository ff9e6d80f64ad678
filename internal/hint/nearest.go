package hint

import (
	"slices"
	"strings"
)

// OneOf returns a hint for a word that is not one of words: the word that was probably intended, or
// all of them.
func OneOf(word string, words []string) string {
	if meant := DidYouMean(word, words); meant != "" {
		return meant
	}
	return "use one of " + strings.Join(words, ", ")
}

// DidYouMean returns a hint with the word most similar to the given one, or "" if none is similar.
func DidYouMean(word string, words []string) string {
	if near := Nearest(word, words); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

// Meant returns the word that an abbreviated or mistyped word probably stands for: if word has at
// least three letters and exactly one element of words begins with it, that element; otherwise the
// most similar element, or "" if none is similar.
func Meant(word string, words []string) string {
	const begun = 3
	begins := func(w string) bool { return strings.HasPrefix(w, strings.ToLower(word)) }
	if i := slices.IndexFunc(words, begins); i >= 0 && len(word) >= begun && !slices.ContainsFunc(words[i+1:], begins) {
		return words[i]
	}
	return Nearest(word, words)
}

// Nearest returns the word that is most similar to a mistyped one, or "" if none is similar.
func Nearest(word string, words []string) string { return NearestWithin(word, words, 1+len(word)/3) }

// NearestWithin returns the element of words with the smallest edit distance to word, and the first
// of several with the same distance. It returns "" if that distance is more than most.
func NearestWithin(word string, words []string, most int) (best string) {
	bestDistance := most
	for _, w := range words {
		if d := distance(strings.ToLower(word), strings.ToLower(w)); d <= bestDistance && (best == "" || d < bestDistance) {
			best, bestDistance = w, d
		}
	}
	return best
}

// distance returns the Levenshtein distance between a and b, in bytes.
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
