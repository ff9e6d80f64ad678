package config

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxKeys is far above what a mapping of the schema has. The parser's work grows with the square of it.
const maxKeys = 5000

// maxNesting is far above what the schema needs. The parser's work grows with the square of the nesting.
const maxNesting = 100

// document is a parsed file: its one root, and what each alias in it stands for.
type document struct {
	root    ast.Node
	aliases map[*ast.AliasNode]ast.Node
}

// parseDocument returns nil after it has reported why data is not one YAML document.
func parseDocument(data []byte, r *report) *document {
	tokens := lexer.Tokenize(string(bytes.TrimPrefix(data, []byte("\ufeff"))))
	if line := tooDeep(tokens); line > 0 {
		r.addAt(line, "", "nested too deeply", "")
		return nil
	}
	if line := tooWide(tokens); line > 0 {
		r.addAt(line, "", fmt.Sprintf("a mapping of more than %d keys", maxKeys), "")
		return nil
	}
	// Duplicate keys are left to the decoder, which reports all of them.
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		addSyntax(r, err)
		return nil
	}
	roots := slices.DeleteFunc(file.Docs, func(d *ast.DocumentNode) bool { return isBlank(d.Body) })
	switch {
	case len(roots) == 0:
		r.addAt(1, "", "the file is empty", "start from one of the examples")
		return nil
	case len(roots) > 1:
		r.addAt(startLine(roots[1]), "", "a second document begins", "put everything into one")
		return nil
	}
	d := &document{root: roots[0].Body, aliases: map[*ast.AliasNode]ast.Node{}}
	d.link(d.root, map[string]ast.Node{})
	return d
}

// quotation is what the parser's messages repeat of the source.
var quotation = regexp.MustCompile(`"(\\.|[^"\\])*"`)

// addSyntax leaves out what of the source the parser's text shows, an excerpt and words in quotes: it might be an external id.
func addSyntax(r *report, err error) {
	if e, ok := errors.AsType[*yaml.SyntaxError](err); ok && e.Token != nil {
		r.addAt(e.Token.Position.Line, "", "not YAML: "+quotation.ReplaceAllString(e.Message, `"..."`), "")
		return
	}
	r.addAt(1, "", "not YAML", "")
}

func isBlank(n ast.Node) bool {
	switch n.(type) {
	case nil, *ast.CommentGroupNode, *ast.DirectiveNode:
		return true
	}
	return false
}

func startLine(d *ast.DocumentNode) int {
	if d.Start != nil {
		return d.Start.Position.Line
	}
	return d.Body.GetToken().Position.Line
}

// tooDeep returns the line on which brackets, or the dashes of one line, nest deeper than maxNesting, or 0. Indentation
// needs no bound: its nesting costs the file the square of its depth.
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

// tooWide returns the line on which a mapping has more than maxKeys keys, or 0. Keys of one mapping stand in one column, with
// nothing before it in between.
func tooWide(tokens token.Tokens) int {
	type block struct{ column, keys int }
	var open []block
	for i, t := range tokens {
		column := t.Position.Column
		switch {
		case t.Type == token.MappingValueType && i > 0:
			column = tokens[i-1].Position.Column
		case t.Type != token.SequenceEntryType:
			continue
		}
		for len(open) > 0 && open[len(open)-1].column > column {
			open = open[:len(open)-1]
		}
		if t.Type == token.SequenceEntryType {
			continue
		}
		if len(open) == 0 || open[len(open)-1].column < column {
			open = append(open, block{column: column})
		}
		last := &open[len(open)-1]
		if last.keys++; last.keys > maxKeys {
			return t.Position.Line
		}
	}
	return 0
}

// link resolves the aliases below n. An anchor counts from its end on, so that nothing can contain itself.
func (d *document) link(n ast.Node, anchors map[string]ast.Node) {
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, entry := range n.Values {
			d.link(entry.Value, anchors)
		}
	case *ast.MappingValueNode:
		d.link(n.Value, anchors)
	case *ast.SequenceNode:
		for _, element := range n.Values {
			d.link(element, anchors)
		}
	case *ast.TagNode:
		d.link(n.Value, anchors)
	case *ast.AnchorNode:
		d.link(n.Value, anchors)
		anchors[n.Name.GetToken().Value] = n.Value
	case *ast.AliasNode:
		d.aliases[n] = anchors[n.Value.GetToken().Value]
	}
}
