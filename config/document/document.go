// Package document parses a YAML file into nodes, each with its line.
//
// It rejects files that would take too long to parse, without parsing them. A document has one
// root, an alias refers to the last earlier anchor of its name, and no node contains itself. Faults
// never show text under a key that contains a secret. Package decode checks the keys and values.
//
// Two terms: a node is one value in the file; a pair is a key with its node.
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

// Document is a parsed file: its root node, and the target of each alias.
type Document struct {
	Root    ast.Node
	aliases map[*ast.AliasNode]ast.Node
	hidden  map[ast.Node]bool // includes nodes shared with other settings through an alias
}

// Parse parses data as one YAML document. If it cannot, it reports why to r and returns nil. It
// redacts text under secretKey in everything that r reports, now and later.
func Parse(data []byte, secretKey string, r *fault.Report) *Document {
	tokens := lexer.Tokenize(string(bytes.TrimPrefix(data, []byte("\ufeff"))))
	if line, problem := tooMuch(tokens); line > 0 {
		r.AddAt(line, "", problem, "")
		return nil
	}
	// Duplicate keys are no syntax error here: the decoder reports each of them.
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
		r.AddAt(startLine(roots[1]), "", "a second document begins", "use one document")
		return nil
	}
	d := &Document{Root: roots[0].Body, aliases: map[*ast.AliasNode]ast.Node{}, hidden: map[ast.Node]bool{}}
	d.link(d.Root, map[string]ast.Node{})
	d.hideBelow(d.Root, secretKey, r)
	return d
}

// addSyntax reports a syntax error without the parser's excerpt of the source and without quoted
// words: they might be an external id.
func addSyntax(r *fault.Report, data []byte, err error) {
	if e, ok := errors.AsType[*yaml.SyntaxError](err); ok && e.Token != nil {
		line, hint := e.Token.Position.Line, ""
		if lines := bytes.Split(data, []byte("\n")); line >= 1 && line <= len(lines) && bytes.Contains(lines[line-1], []byte("{{")) {
			hint = "if this is a template, render it first"
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

// link resolves the aliases under n. An alias can refer to an anchor only after the end of the
// anchor's node, so that no node can contain itself.
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

// Target returns the node that an alias refers to, or nil if no anchor precedes it.
func (d *Document) Target(alias *ast.AliasNode) ast.Node { return d.aliases[alias] }

// Hidden reports whether a node is under the key with a secret, directly or through an alias.
func (d *Document) Hidden(n ast.Node) bool { return d.hidden[n] }

// hideBelow hides the values of every key with that name under n.
func (d *Document) hideBelow(n ast.Node, key string, r *fault.Report) {
	if pair, ok := n.(*ast.MappingValueNode); ok && pair.Key.GetToken().Value == key {
		d.hide(pair.Value, r)
	}
	for child := range children(n) {
		d.hideBelow(child, key, r)
	}
}

// hide hides n and everything under it.
func (d *Document) hide(n ast.Node, r *fault.Report) {
	if n == nil || d.hidden[n] {
		return
	}
	d.hidden[n] = true
	switch n := n.(type) {
	case *ast.NullNode, *ast.MappingNode, *ast.SequenceNode, *ast.TagNode, *ast.AnchorNode: // no text of their own
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
