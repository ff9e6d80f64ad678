package config

import (
	"bytes"
	"errors"
	"iter"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
)

// document is a parsed file: its one root, and what each alias in it stands for.
type document struct {
	root    ast.Node
	aliases map[*ast.AliasNode]ast.Node
}

// parseDocument returns nil after it has reported why data is not one YAML document.
func parseDocument(data []byte, r *report) *document {
	tokens := lexer.Tokenize(string(bytes.TrimPrefix(data, []byte("\ufeff"))))
	if line, problem := tooMuch(tokens); line > 0 {
		r.addAt(line, "", problem, "")
		return nil
	}
	// Duplicate keys are left to the decoder, which reports all of them.
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		addSyntax(r, data, err)
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

// addSyntax leaves out what of the source the parser's text shows, an excerpt and words in quotes: it might be an external id.
func addSyntax(r *report, data []byte, err error) {
	if e, ok := errors.AsType[*yaml.SyntaxError](err); ok && e.Token != nil {
		line, hint := e.Token.Position.Line, ""
		if lines := bytes.Split(data, []byte("\n")); line >= 1 && line <= len(lines) && bytes.Contains(lines[line-1], []byte("{{")) {
			hint = "if this is a template, fill it in before"
		}
		r.addAt(line, "", "not YAML: "+eachQuoted(e.Message, empty), hint)
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

// link resolves the aliases below n. An anchor counts from its end on, so that nothing can contain itself.
func (d *document) link(n ast.Node, anchors map[string]ast.Node) {
	for child := range children(n) {
		d.link(child, anchors)
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		anchors[n.Name.GetToken().Value] = n.Value
	case *ast.AliasNode:
		d.aliases[n] = anchors[n.Value.GetToken().Value]
	}
}

// children yields what is right below n, as it is written: keys are not among them, and aliases are not followed.
func children(n ast.Node) iter.Seq[ast.Node] {
	return func(yield func(ast.Node) bool) {
		switch n := n.(type) {
		case *ast.MappingNode:
			for _, pair := range n.Values {
				if !yield(pair) {
					return
				}
			}
		case *ast.MappingValueNode:
			yield(n.Value)
		case *ast.SequenceNode:
			for _, element := range n.Values {
				if !yield(element) {
					return
				}
			}
		case *ast.TagNode:
			yield(n.Value)
		case *ast.AnchorNode:
			yield(n.Value)
		}
	}
}
