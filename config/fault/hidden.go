package fault

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"syncd/config/secret"
)

// hidden is what no fault may quote: what stands below external ids, wherever else the file has it.
type hidden struct {
	words map[string]bool // as they were written
	paths map[string]bool // config paths of other settings that have such a word
}

func newHidden() hidden { return hidden{map[string]bool{}, map[string]bool{}} }

// above returns the path of the hidden setting that path is or is below, "" for none.
func (h hidden) above(path string) string {
	for p := range h.paths {
		if p != "" && within(path, p) {
			return p
		}
	}
	return ""
}

// replacer takes the words out of a text. Outside of quotes a short word is left: it is more likely
// a word of the sentence.
func (h hidden) replacer() *strings.Replacer {
	var words []string
	for word := range h.words {
		quoted := strconv.Quote(word)
		if word != "" {
			words = append(words, quoted)
		}
		if len(word) >= 8 {
			words = append(words, word, quoted[1:len(quoted)-1])
		}
	}
	slices.SortFunc(words, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	var pairs []string
	for _, word := range slices.Compact(words) {
		instead := secret.Redacted
		if word[0] == '"' {
			instead = strconv.Quote(secret.Redacted)
		}
		pairs = append(pairs, word, instead)
	}
	return strings.NewReplacer(pairs...)
}
