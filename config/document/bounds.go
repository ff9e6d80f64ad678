package document

import (
	"fmt"

	"github.com/goccy/go-yaml/token"
)

const (
	// maxNesting is far more than the schema needs. Parsing time grows with the square of the
	// nesting.
	maxNesting = 100
	// maxKeys is far more than a YAML mapping of the schema has. Parsing time grows with the square
	// of the number of keys.
	maxKeys = 5000
	// maxTokens is more than the number of tokens in a file of ten thousand mappings that have
	// every setting.
	maxTokens = 2_000_000
	// maxText is far more than the longest value of a setting. A fault quotes the whole value.
	maxText = 16 << 10
)

// tooMuch returns the first line at which a file exceeds a limit of this package, and a description
// of the limit. It returns 0 if the file is within the limits.
func tooMuch(tokens token.Tokens) (int, string) {
	if len(tokens) > maxTokens {
		return tokens[maxTokens].Position.Line, fmt.Sprintf("the file has more than %d tokens", maxTokens)
	}
	if line := tooDeep(tokens); line > 0 {
		return line, "nested too deeply"
	}
	if line := tooWide(tokens); line > 0 {
		return line, fmt.Sprintf("a mapping of more than %d keys, or several of nearly as many", maxKeys)
	}
	for _, t := range tokens {
		if len(t.Value) > maxText && t.Type != token.CommentType {
			return t.Position.Line, fmt.Sprintf("a value of more than %d bytes", maxText)
		}
	}
	return 0, ""
}

// tooDeep returns the first line on which the number of open brackets plus the number of list
// dashes on the line exceeds maxNesting, or 0 if there is none. Indentation needs no limit: to nest
// n levels by indentation a file needs at least n² bytes, so parsing time grows only with the size
// of the file.
func tooDeep(tokens token.Tokens) int {
	brackets, dashes, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		switch t.Type { //nolint:exhaustive // the other types open and close nothing
		case token.MappingStartType, token.SequenceStartType:
			brackets++
		case token.MappingEndType, token.SequenceEndType:
			brackets--
		case token.SequenceEntryType, token.MappingKeyType:
			dashes++
		}
		if brackets+dashes > maxNesting {
			return line
		}
	}
	return 0
}

// tooWide returns the first line on which a YAML mapping has more than maxKeys keys, or on which
// the parsing work of all mappings so far exceeds twice the work of one mapping with maxKeys keys.
// It returns 0 if there is no such line.
func tooWide(tokens token.Tokens) int {
	var w width
	work := 0
	for _, t := range tokens {
		keys := w.next(t)
		if work += keys; keys > maxKeys || work > maxKeys*maxKeys {
			return t.Position.Line
		}
	}
	return 0
}

// width counts the keys of YAML mappings. Inside brackets, keys belong to the innermost bracket.
// Elsewhere, the keys of one mapping start in the same column, with no text in an earlier column
// between them.
type width struct {
	brackets []int
	blocks   []block
	line     int
	column   int // column of the next key of the line, or of the anchor or other prefix before it
}

type block struct{ column, keys int }

// next returns how many keys the mapping of a key has so far, 0 if t is not a key.
func (w *width) next(t *token.Token) int {
	if t.Position.Line != w.line {
		w.line, w.column = t.Position.Line, 0
	}
	if w.column == 0 {
		w.column = t.Position.Column
	}
	isKey := t.Type == token.MappingValueType || t.Type == token.MappingKeyType
	switch last := len(w.brackets) - 1; {
	case t.Type == token.MappingStartType || t.Type == token.SequenceStartType:
		w.brackets = append(w.brackets, 0)
	case last >= 0 && (t.Type == token.MappingEndType || t.Type == token.SequenceEndType):
		w.brackets = w.brackets[:last]
	case last >= 0 && isKey:
		w.brackets[last]++
		return w.brackets[last]
	case last < 0 && t.Type == token.SequenceEntryType:
		w.enter(w.column)
		w.column = 0
	case last < 0 && isKey:
		return w.key(t)
	}
	return 0
}

// enter closes the mappings whose keys start after column.
func (w *width) enter(column int) {
	for len(w.blocks) > 0 && w.blocks[len(w.blocks)-1].column > column {
		w.blocks = w.blocks[:len(w.blocks)-1]
	}
}

func (w *width) key(t *token.Token) int {
	column := w.column
	w.enter(column)
	if len(w.blocks) == 0 || w.blocks[len(w.blocks)-1].column < column {
		w.blocks = append(w.blocks, block{column: column})
	}
	if t.Type == token.MappingKeyType {
		w.column = 0
	}
	last := &w.blocks[len(w.blocks)-1]
	last.keys++
	return last.keys
}
