package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// hidden is what no fault may quote: what stands below external ids, wherever else the file has it.
type hidden struct {
	nodes map[ast.Node]bool // also those that an alias carries to other settings, or from them
	words map[string]bool   // as they were written
	paths map[string]bool   // config paths of other settings that have such a node
}

func newHidden() *hidden {
	return &hidden{map[ast.Node]bool{}, map[string]bool{}, map[string]bool{}}
}

// hideExternalIDs finds what stands below every key external_id from n on.
func (d *document) hideExternalIDs(n ast.Node, h *hidden) {
	if pair, ok := n.(*ast.MappingValueNode); ok && pair.Key.GetToken().Value == "external_id" {
		d.hide(pair.Value, h)
	}
	for child := range children(n) {
		d.hideExternalIDs(child, h)
	}
}

// hide adds n and all that is below it.
func (d *document) hide(n ast.Node, h *hidden) {
	if n == nil || h.nodes[n] {
		return
	}
	h.nodes[n] = true
	switch n := n.(type) {
	case *ast.NullNode, *ast.MappingNode, *ast.SequenceNode, *ast.TagNode, *ast.AnchorNode: // no words of their own
	case *ast.MappingValueNode:
		if key := n.Key.GetToken().Value; key != "file" && key != "env" && !n.Key.IsMergeKey() {
			h.words[key] = true
		}
	case *ast.AliasNode:
		d.hide(d.aliases[n], h)
	default:
		h.words[scalarText(n)] = true
	}
	for child := range children(n) {
		d.hide(child, h)
	}
}

// above returns the path of the hidden setting that path is or is below, "" for none.
func (h *hidden) above(path string) string {
	for p := range h.paths {
		if p != "" && within(path, p) {
			return p
		}
	}
	return ""
}

// replacer takes the words out of a text. Outside of quotes a short word is left: it is more likely a word of the sentence.
func (h *hidden) replacer() *strings.Replacer {
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
		instead := redacted
		if word[0] == '"' {
			instead = strconv.Quote(redacted)
		}
		pairs = append(pairs, word, instead)
	}
	return strings.NewReplacer(pairs...)
}

// maxQuoted is how much of a value a fault repeats.
const maxQuoted = 200

// eachQuoted replaces what is between double quotes, with its quotes, by what change makes of it.
func eachQuoted(text string, change func(string) string) string {
	var b strings.Builder
	for {
		begin := strings.IndexByte(text, '"')
		if begin < 0 {
			return b.String() + text
		}
		end := begin + 1
		for end < len(text) && text[end] != '"' {
			if text[end] == '\\' {
				end++
			}
			end++
		}
		end = min(end+1, len(text))
		b.WriteString(text[:begin] + change(text[begin:end]))
		text = text[end:]
	}
}

// cut shortens a quoted value.
func cut(quoted string) string {
	if len(quoted) <= maxQuoted {
		return quoted
	}
	return strings.ToValidUTF8(quoted[:maxQuoted], "") + `..."`
}

// empty leaves nothing of a quoted value.
func empty(string) string { return `"..."` }
