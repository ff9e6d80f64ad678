package fault

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"syncd/config/secret"
)

// hidden is the text that no fault may quote: text under external ids, wherever else it appears in
// the file.
type hidden struct {
	words map[string]bool // exactly as in the file
	paths map[string]bool // config paths of other settings that contain a hidden word
}

func newHidden() hidden { return hidden{map[string]bool{}, map[string]bool{}} }

// above returns the hidden setting that is path or contains it, or "".
func (h hidden) above(path string) string {
	for p := range h.paths {
		if p != "" && within(path, p) {
			return p
		}
	}
	return ""
}

// replacer returns a Replacer that redacts the hidden words. Outside quotes it does not redact
// short words, which are more likely part of the message.
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
