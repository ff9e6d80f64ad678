package config

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// DidYouMean is a hint at the one of words that a word was likely meant to be, "" for none.
func DidYouMean(word string, words []string) string { return didYouMean(word, words) }

// suggest is the hint for a word that is none of words: the one it was likely meant to be, or all of them.
func suggest(word string, words []string) string {
	if hint := didYouMean(word, words); hint != "" {
		return hint
	}
	return "use one of " + strings.Join(words, ", ")
}

// suggestKey is the hint for a key that is none of those of its section: the one it was likely meant to be, the sections that have
// it, or all.
func suggestKey(key string, keys []string) string {
	if hint := didYouMean(key, keys); hint != "" {
		return hint
	}
	if homes := homesOf(key, reflect.TypeFor[Config](), ""); len(homes) > 0 {
		return "it belongs to " + strings.Join(homes, " or ")
	}
	return suggest(key, keys)
}

// homesOf returns the sections that have a key, from a type on that is at a config path.
func homesOf(key string, of reflect.Type, path string) (homes []string) {
	switch of.Kind() { //nolint:exhaustive // the others have no sections
	case reflect.Map:
		return homesOf(key, of.Elem(), path+".NAME")
	case reflect.Slice:
		return homesOf(key, of.Elem(), path+"[]")
	case reflect.Struct:
	default:
		return nil
	}
	names, _ := fields(of)
	if slices.Contains(names, key) {
		homes = append(homes, cmp.Or(strings.TrimPrefix(path, "."), "the top of the file"))
	}
	for i, name := range names {
		if name != "" {
			homes = append(homes, homesOf(key, of.Field(i).Type, path+"."+name)...)
		}
	}
	return homes
}

// didYouMean is a hint at the word most like the given one, or nothing when none is like it.
func didYouMean(word string, words []string) string {
	if near := Nearest(word, words); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

// Nearest returns the one of words that a mistyped word was most likely meant to be, "" when none is like it.
func Nearest(word string, words []string) string { return nearest(word, words, 1+len(word)/3) }

// nearest is the first of those words that are most like the given one, with at most so many characters changed; "" for none.
func nearest(word string, words []string, most int) (best string) {
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
