// Package document reads a YAML file up to its nodes, each with its line.
//
// It promises that a file which the parser could not bear is refused before it is parsed, that a
// document has one root, that an alias stands for the anchor before it and nothing contains itself,
// and that what stands below a key with a secret is hidden from all faults. Which keys there are
// and what values they take is left to package decode.
//
// Two words: a node is one value as it is written; a pair is a key with its node.
package document

import (
	"bytes"
	"errors"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"

	"syncd/config/fault"
)

// Document is a parsed file: its one root, and what each alias in it stands for.
type Document struct {
	Root    ast.Node
	aliases map[*ast.AliasNode]ast.Node
	hidden  map[ast.Node]bool // also those that an alias carries to other settings, or from them
}

// Parse returns nil after it has reported why data is not one YAML document. What stands below the
// key of that name is kept out of the report, now and later.
func Parse(data []byte, secretKey string, r *fault.Report) *Document {
	tokens := lexer.Tokenize(string(bytes.TrimPrefix(data, []byte("\ufeff"))))
	if line, problem := tooMuch(tokens); line > 0 {
		r.AddAt(line, "", problem, "")
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
		r.AddAt(1, "", "the file is empty", "start from one of the examples")
		return nil
	case len(roots) > 1:
		r.AddAt(startLine(roots[1]), "", "a second document begins", "put everything into one")
		return nil
	}
	d := &Document{Root: roots[0].Body, aliases: map[*ast.AliasNode]ast.Node{}, hidden: map[ast.Node]bool{}}
	d.link(d.Root, map[string]ast.Node{})
	d.hideBelow(d.Root, secretKey, r)
	return d
}

// addSyntax leaves out what of the source the parser's text shows, an excerpt and words in quotes:
// it might be an external id.
func addSyntax(r *fault.Report, data []byte, err error) {
	if e, ok := errors.AsType[*yaml.SyntaxError](err); ok && e.Token != nil {
		line, hint := e.Token.Position.Line, ""
		if lines := bytes.Split(data, []byte("\n")); line >= 1 && line <= len(lines) && bytes.Contains(lines[line-1], []byte("{{")) {
			hint = "if this is a template, fill it in before"
		}
		r.AddAt(line, "", "not YAML: "+fault.WithoutQuoted(e.Message), hint)
		return
	}
	r.AddAt(1, "", "not YAML", "")
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

// link resolves the aliases below n. An anchor counts from its end on, so that nothing can contain
// itself.
func (d *Document) link(n ast.Node, anchors map[string]ast.Node) {
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

// Target returns what an alias stands for, nil where no anchor is before it.
func (d *Document) Target(alias *ast.AliasNode) ast.Node { return d.aliases[alias] }

// Hidden reports whether a node stands below the key with a secret, there or by an alias.
func (d *Document) Hidden(n ast.Node) bool { return d.hidden[n] }

// hideBelow hides what stands below every key of that name from n on.
func (d *Document) hideBelow(n ast.Node, key string, r *fault.Report) {
	if pair, ok := n.(*ast.MappingValueNode); ok && pair.Key.GetToken().Value == key {
		d.hide(pair.Value, r)
	}
	for child := range children(n) {
		d.hideBelow(child, key, r)
	}
}

// hide hides n and all that is below it.
func (d *Document) hide(n ast.Node, r *fault.Report) {
	if n == nil || d.hidden[n] {
		return
	}
	d.hidden[n] = true
	switch n := n.(type) {
	case *ast.NullNode, *ast.MappingNode, *ast.SequenceNode, *ast.TagNode, *ast.AnchorNode: // no words of their own
	case *ast.MappingValueNode:
		if key := n.Key.GetToken().Value; key != "file" && key != "env" && !n.Key.IsMergeKey() {
			r.Hide(key)
		}
	case *ast.AliasNode:
		d.hide(d.aliases[n], r)
	default:
		r.Hide(Text(n))
	}
	for child := range children(n) {
		d.hide(child, r)
	}
}
