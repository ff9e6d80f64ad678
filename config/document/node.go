package document

import (
	"iter"

	"github.com/goccy/go-yaml/ast"
)

// Text returns the text of a scalar as written.
func Text(n ast.Node) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	}
	return n.GetToken().Value
}

// Pairs returns the pairs of a mapping; ok is false for any other node.
func Pairs(n ast.Node) (pairs []*ast.MappingValueNode, ok bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	}
	return nil, false
}

// The kinds of a scalar.
const (
	KindText    = "text"
	KindNumber  = "a number"
	KindBoolean = "a boolean"
)

// Kind returns what a node is, such as "a list".
func Kind(n ast.Node) string {
	switch n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return KindNumber
	case *ast.NanNode, *ast.InfinityNode:
		return "infinite or NaN"
	case *ast.BoolNode:
		return KindBoolean
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	}
	return KindText
}

// children yields the direct children of n, without keys and without following aliases.
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
