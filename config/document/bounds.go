package document

import (
	"fmt"

	"github.com/goccy/go-yaml/token"
)

const (
	// maxNesting is far above what the schema needs. The parser's work grows with the square of the
	// nesting.
	maxNesting = 100
	// maxKeys is far above what a mapping of the schema has. The parser's work grows with the
	// square of it.
	maxKeys = 5000
	// maxTokens is more than ten thousand mappings have with every setting in them.
	maxTokens = 2_000_000
	// maxText is far above the longest value that a setting takes. Each fault of a value quotes it.
	maxText = 16 << 10
)

// tooMuch says on which line a file is beyond what the parser may be given, and why; 0 for an
// ordinary file.
func tooMuch(tokens token.Tokens) (int, string) {
	if len(tokens) > maxTokens {
		return tokens[maxTokens].Position.Line, fmt.Sprintf("the file has more than %d words and signs", maxTokens)
	}
	if line := tooDeep(tokens); line > 0 {
		return line, "nested too deeply"
	}
	if line := tooWide(tokens); line > 0 {
		return line, fmt.Sprintf("a mapping of more than %d keys, or several of nearly as many", maxKeys)
	}
	for _, t := range tokens {
		if len(t.Value) > maxText && t.Type != token.CommentType {
			return t.Position.Line, fmt.Sprintf("a text of more than %d bytes", maxText)
		}
	}
	return 0, ""
}

// tooDeep returns the line on which brackets, or the dashes of one line, nest deeper than
// maxNesting, or 0. Indentation needs no bound: its nesting costs the file the square of its depth.
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

// tooWide returns the line on which a mapping has more than maxKeys keys, or on which all mappings
// together have been twice the work of one of that size, or 0.
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

// width counts the keys of mappings. Between brackets the innermost has the keys. Elsewhere those
// of one mapping stand in one column, with nothing before it in between.
type width struct {
	brackets []int
	blocks   []block
	line     int
	column   int // where the next key of the line begins: what may stand before it, such as an anchor, is of any length
}

type block struct{ column, keys int }

// next returns how many keys the mapping of a key has so far.
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

// enter closes the mappings that a column is before.
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
